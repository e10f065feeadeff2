/** Prometheus metrics at /metrics: counts, times and the queue. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export interface Metrics {
  readonly registry: Registry;
  /** Records a request. */
  answered(route: string, status: number, seconds: number): void;
  /** Records a batch. */
  batch(images: number, seconds: number): void;
  faces(count: number): void;
  /** @param read - returns the number waiting */
  watchQueue(read: () => number): void;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'magface_request_seconds',
    help: 'From the request’s head to the end of its answer',
    labelNames: ['route', 'status'],
    buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30],
    registers,
  });
  const size = { name: 'magface_batch_images', help: 'Images that shared a batch', buckets: [1, 2, 4, 8, 16, 32, 64] };
  const batches = new Histogram({ ...size, registers });
  const busy = new Counter({ name: 'magface_inference_seconds_total', help: 'Time spent in batches', registers });
  const faces = new Counter({ name: 'magface_faces_total', help: 'Faces returned', registers });
  return {
    registry,
    answered: (route, status, seconds) => requests.observe({ route, status: String(status) }, seconds),
    batch: (images, seconds) => {
      batches.observe(images);
      busy.inc(seconds);
    },
    faces: (count) => faces.inc(count),
    watchQueue: (read) => {
      const collect = function (this: Gauge): void {
        this.set(read());
      };
      new Gauge({ name: 'magface_waiting_images', help: 'Images in the queue', collect, registers });
    },
  };
}
