/**
 * Load-tests the service, by part or completely:
 *
 *     npx tsx bench/serve-load.ts [throughput] [throughput-photos] [batching] [latency] [slow-clients] [memory]
 *
 * throughput: requests over 32 connections, alternating with a plain loop of the library over the same images with the same
 * threads; with aligned faces and a small network, where HTTP's share is largest, and with photos and the default models.
 * The client runs on the same cores. batching: with and without shared batches. latency: at half of the maximum rate.
 * slow-clients: latency of other clients during a hundred slow uploads. memory: resident memory over 60,000 requests, by allocator. The
 * last two use a recogniser of a few hundred bytes, to measure only the service. Needs LFW (`npm run data -- lfw`) and a
 * build; writes bench/results/serve-load-PART.json.
 */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import autocannon from 'autocannon';
import { type LoadOptions, MagFace } from 'magface';
import sharp from 'sharp';
import { samplePhoto } from '../packages/magface/test/support/sample-photos.ts';
import { tinyOnnx } from '../packages/magface/test/support/tiny-onnx.ts';
import { researchFolder } from './support/data.ts';
import { median } from './support/median.ts';
import { residentParts } from './support/resident-parts.ts';
import { writeResult } from './support/result.ts';
import { type Service, startService } from './support/service.ts';

const shared = researchFolder('faces/lfw', 'models/foamliu_mobilefacenet.onnx');
const model = `${shared}models/foamliu_mobilefacenet.onnx`;
const folder = `${shared}faces/lfw/aligned/`;
const faces = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.jpg'))
  .sort()
  .filter((_, at) => at % 100 === 0)
  .map((name) => new Uint8Array(readFileSync(folder + name)));
const tiny = join(mkdtempSync(join(tmpdir(), 'magface-bench-')), 'tiny.onnx');
writeFileSync(tiny, tinyOnnx());

/** A request. */
interface Work {
  readonly images: readonly Uint8Array[];
  readonly aligned: boolean;
}

const alignedFaces: Work = { images: faces, aligned: true };
const photos: Work = {
  images: await Promise.all(([1, 2, 3, 4, 5, 6] as const).map(smallPhoto)),
  aligned: false,
};

/** Photos of 640 pixels, as pages send them. */
async function smallPhoto(number: 1 | 2 | 3 | 4 | 5 | 6): Promise<Uint8Array> {
  return new Uint8Array(
    await sharp(samplePhoto(number)).rotate().resize(640, 640, { fit: 'inside' }).jpeg().toBuffer(),
  );
}

const rounded = (value: number): number => Number(value.toPrecision(4));

type Load = Pick<autocannon.Options, 'connections' | 'amount' | 'overallRate' | 'duration'>;

/** Sends a different image with each request. @returns autocannon's figures, and the seconds until the last response */
async function load(
  service: Service,
  options: Load,
  { images, aligned }: Work = alignedFaces,
): Promise<autocannon.Result & { readonly seconds: number }> {
  const headers = { 'content-type': 'image/jpeg' };
  const requests = images.map((image) => ({ method: 'POST' as const, headers, body: Buffer.from(image) }));
  const started = performance.now();
  let last = started;
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    const all = { url: `${service.address}/v1/faces?aligned=${aligned}`, requests, timeout: 600, ...options };
    const running = autocannon(all, (error: unknown, result) => (error ? reject(error) : resolve(result)));
    // Autocannon samples once per second.
    running.on('response', () => {
      last = performance.now();
    });
  });
  return { ...result, seconds: (last - started) / 1000 };
}

/** Requests per second, and CPU milliseconds per request, which other load hardly affects. */
interface Cost {
  readonly rate: number;
  readonly cpu: number;
}

/** All requests must succeed. */
async function served(service: Service, amount: number, work: Work = alignedFaces): Promise<Cost> {
  const before = await service.cpuSeconds();
  const result = await load(service, { connections: 32, amount }, work);
  if (result['2xx'] !== amount) throw new Error(`Expected ${amount} answers but ${result['2xx']} were 2xx.`);
  return { rate: amount / result.seconds, cpu: (1000 * ((await service.cpuSeconds()) - before)) / amount };
}

const rate = async (service: Service, amount: number): Promise<number> => (await served(service, amount)).rate;

async function bare(magface: MagFace, amount: number, { images, aligned }: Work): Promise<Cost> {
  const inputs = Array.from({ length: amount }, (_, at) => images[at % images.length]!);
  const [started, { user, system }] = [performance.now(), process.cpuUsage()];
  for await (const { error } of magface.stream(inputs, { aligned })) if (error !== undefined) throw error;
  const used = process.cpuUsage();
  const cpu = (used.user - user + used.system - system) / 1000 / amount;
  return { rate: (1000 * amount) / (performance.now() - started), cpu };
}

/** Warm-up: the JIT compiles the server's code within a thousand requests; requests without images cost no inference. */
async function warm(service: Service): Promise<void> {
  const requests = [{ method: 'POST' as const, headers: { 'content-type': 'image/jpeg' }, body: 'no image' }];
  await autocannon({ url: `${service.address}/v1/faces`, requests, connections: 32, amount: 2000, timeout: 600 });
}

/** Images per round of the library alone, before and after at least as many requests to the service. */
interface Amounts {
  readonly bare: number;
  readonly served: number;
}

const throughput = (): Promise<object> =>
  compared(alignedFaces, { bare: 768, served: 768 }, { model, detector: false });
const throughputPhotos = (): Promise<object> => compared(photos, { bare: 24, served: 64 }, {});

/** The service and the library alone, alternating. */
async function compared(
  work: Work,
  amounts: Amounts,
  options: Pick<LoadOptions, 'model' | 'detector'>,
): Promise<object> {
  await using magface = await MagFace.load(options);
  const words = options.model === undefined ? [] : ['--model', options.model];
  const service = await startService([...words, ...(work.aligned ? ['--aligned'] : [])]);
  await bare(magface, amounts.bare / 4, work);
  await warm(service);
  await served(service, amounts.served / 2, work);
  const rounds = [];
  for (let round = 0; round < 3; round++) {
    const before = await bare(magface, amounts.bare, work);
    const through = await served(service, amounts.served, work);
    const after = await bare(magface, amounts.bare, work);
    const alone = { rate: (before.rate + after.rate) / 2, cpu: (before.cpu + after.cpu) / 2 };
    rounds.push({
      bareRate: rounded(alone.rate),
      servedRate: rounded(through.rate),
      rateRatio: rounded(through.rate / alone.rate),
      bareCpuMs: rounded(alone.cpu),
      servedCpuMs: rounded(through.cpu),
      cpuRatio: rounded(alone.cpu / through.cpu),
    });
  }
  await service.stop();
  const medianRateRatio = median(rounds.map(({ rateRatio }) => rateRatio));
  const medianCpuRatio = median(rounds.map(({ cpuRatio }) => cpuRatio));
  const { model, detector } = magface;
  return {
    connections: 32,
    models: [basename(model.name), detector?.name ?? null],
    medianRateRatio,
    medianCpuRatio,
    rounds,
  };
}

/** The same service with and without shared batches. */
async function batching(): Promise<object> {
  const [together, alone] = [
    await startService(['--model', model, '--aligned']),
    await startService(['--model', model, '--aligned', '--batch', '1']),
  ];
  await Promise.all([rate(together, 64), rate(alone, 64)]);
  const rounds = [];
  for (let round = 0; round < 5; round++) {
    const [one, many] = [await served(alone, 576), await served(together, 576)];
    rounds.push({
      aloneRate: rounded(one.rate),
      togetherRate: rounded(many.rate),
      rateGain: rounded(many.rate / one.rate),
      aloneCpuMs: rounded(one.cpu),
      togetherCpuMs: rounded(many.cpu),
      cpuGain: rounded(one.cpu / many.cpu),
    });
  }
  await Promise.all([together.stop(), alone.stop()]);
  const medianRateGain = median(rounds.map(({ rateGain }) => rateGain));
  const medianCpuGain = median(rounds.map(({ cpuGain }) => cpuGain));
  return { connections: 32, medianRateGain, medianCpuGain, rounds };
}

async function latency(): Promise<object> {
  const service = await startService(['--model', model, '--aligned']);
  await rate(service, 64);
  const full = await rate(service, 1024);
  const result = await load(service, { connections: 32, overallRate: Math.max(1, Math.round(full / 2)), duration: 20 });
  await service.stop();
  const { p50, p90, p99, max } = result.latency;
  return {
    fullRate: rounded(full),
    offeredRate: rounded(full / 2),
    milliseconds: { p50, p90, p99, max },
    answers: result['2xx'],
  };
}

/** Uploads that send one byte per second. */
function creep(service: Service, count: number): () => void {
  const port = Number(new URL(service.address).port);
  const head = 'POST /v1/faces HTTP/1.1\r\nHost: x\r\nContent-Type: image/jpeg\r\nContent-Length: 5000\r\n\r\n';
  const sockets = Array.from({ length: count }, () => {
    const socket = connect(port, '127.0.0.1', () => socket.write(head));
    socket.on('error', () => undefined);
    return socket;
  });
  const timer = setInterval(() => {
    for (const socket of sockets) if (socket.writable) socket.write('a');
  }, 1000);
  return () => {
    clearInterval(timer);
    for (const socket of sockets) socket.destroy();
  };
}

async function slowClients(): Promise<object> {
  const service = await startService(['--model', tiny, '--aligned']);
  await rate(service, 500);
  const rounds = [];
  for (let round = 0; round < 3; round++) {
    const measure = async (): Promise<{ p50: number; p99: number }> => {
      const { latency } = await load(service, { connections: 4, amount: 500 });
      return { p50: latency.p50, p99: latency.p99 };
    };
    const without = await measure();
    const stop = creep(service, 100);
    const beside = await measure();
    stop();
    rounds.push({ without, beside });
  }
  await service.stop();
  return { slowClients: 100, connections: 4, milliseconds: rounds };
}

/** Warm-up ends when V8's young generations have reached their largest size: 16 MiB twice in each of three threads. */
const warmRequests = 8_000;

async function memory(): Promise<object> {
  const service = await startService(['--model', tiny, '--aligned']);
  const resident = [];
  for (let done = 0; done <= 60_000; done += 4_000) {
    resident.push({ requests: done, ...residentParts(service.pid) });
    if (done < 60_000) await rate(service, 4_000);
  }
  await service.stop();
  const warm = resident.filter(({ requests }) => requests >= warmRequests).map(({ total }) => total);
  const half = Math.ceil(warm.length / 2);
  return {
    requests: 60_000,
    MiB: {
      atFirst: resident[0]!.total,
      least: Math.min(...warm),
      most: Math.max(...warm),
      medianOfFirstHalf: median(warm.slice(0, half)),
      medianOfSecondHalf: median(warm.slice(half)),
    },
    warmAfter: warmRequests,
    resident,
  };
}

const parts = {
  throughput,
  'throughput-photos': throughputPhotos,
  batching,
  latency,
  'slow-clients': slowClients,
  memory,
} as const;
const asked = process.argv.slice(2);
for (const [name, part] of Object.entries(parts))
  if (asked.length === 0 || asked.includes(name)) writeResult(`serve-load-${name}`, { ...(await part()) });
