/** Plans the faces and views of each step: a pure function of (seed, epoch, step). */
import { epochOrder, hash } from '../data/sample-order.ts';
import { cleanViews } from './finetune-settings.ts';
import type { ViewPlace } from './view-source.ts';

export interface BatchPlanOptions {
  readonly seed: number;
  readonly batchSize: number;
  /** N */
  readonly samples: number;
  /** Views of each face. The first two are undamaged. */
  readonly views: number;
  /** Share of faces shown damaged. */
  readonly degrade: number;
}

/** @returns the batches of an epoch in order, without an incomplete last one */
export function* plannedBatches(epoch: number, options: BatchPlanOptions): Generator<ViewPlace[]> {
  const { seed, batchSize, samples } = options;
  const order = epochOrder(seed, epoch, samples);
  for (let start = 0; start + batchSize <= samples; start += batchSize) {
    yield Array.from(order.subarray(start, start + batchSize), (sample) => ({
      sample,
      view: viewIn(epoch, sample, options),
    }));
  }
}

function viewIn(epoch: number, sample: number, { seed, views, degrade }: BatchPlanOptions): number {
  const damaged = views - cleanViews;
  if (damaged > 0 && hash(seed, epoch, sample, 3) / 2 ** 32 < degrade) {
    return cleanViews + (hash(seed, epoch, sample, 4) % damaged);
  }
  return hash(seed, epoch, sample, 5) % Math.min(cleanViews, views);
}
