/**
 * The service under load, each part by its name or all in turn:
 *
 *     npx tsx bench/serve-load.ts [throughput] [batching] [latency] [slow-clients] [memory]
 *
 * throughput: requests at 32 connections beside the library alone, in alternating rounds. latency: at half of that.
 * slow-clients: others' latency while a hundred uploads creep. memory: resident over 20,000 requests. The last two use a
 * recogniser of a few hundred bytes, so that the service itself is what is seen. Needs ../shared and a build; writes
 * bench/results/serve-load-PART.json.
 */
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import autocannon from 'autocannon';
import { MagFace } from 'magface';
import { tinyOnnx } from '../packages/magface/test/support/tiny-onnx.ts';
import { median } from './support/median.ts';
import { writeResult } from './support/result.ts';
import { type Service, startService } from './support/service.ts';

const shared = fileURLToPath(new URL('../../shared/', import.meta.url));
const model = `${shared}models/foamliu_mobilefacenet.onnx`;
const folder = `${shared}faces/lfw/aligned/`;
const faces = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.jpg'))
  .sort()
  .filter((_, at) => at % 100 === 0)
  .map((name) => new Uint8Array(readFileSync(folder + name)));
const tiny = join(mkdtempSync(join(tmpdir(), 'magface-bench-')), 'tiny.onnx');
writeFileSync(tiny, tinyOnnx());

const rounded = (value: number): number => Number(value.toPrecision(4));

type Load = Pick<autocannon.Options, 'connections' | 'amount' | 'overallRate' | 'duration'>;

/** Aligned faces, each request another. */
function load(service: Service, options: Load): Promise<autocannon.Result> {
  const headers = { 'content-type': 'image/jpeg' };
  const requests = faces.map((face) => ({ method: 'POST' as const, headers, body: Buffer.from(face) }));
  return autocannon({ url: `${service.address}/v1/faces?aligned=true`, requests, timeout: 600, ...options });
}

/** Requests a second, and the processor's milliseconds for each, which other work on the machine hardly touches. */
interface Cost {
  readonly rate: number;
  readonly cpu: number;
}

/** All of the requests must be answered well. */
async function served(service: Service, amount: number): Promise<Cost> {
  const before = await service.cpuSeconds();
  const result = await load(service, { connections: 32, amount });
  if (result['2xx'] !== amount) throw new Error(`Expected ${amount} answers but ${result['2xx']} were 2xx.`);
  return { rate: amount / result.duration, cpu: (1000 * ((await service.cpuSeconds()) - before)) / amount };
}

const rate = async (service: Service, amount: number): Promise<number> => (await served(service, amount)).rate;

async function bare(magface: MagFace, amount: number): Promise<Cost> {
  const inputs = Array.from({ length: amount }, (_, at) => faces[at % faces.length]!);
  const [started, { user, system }] = [performance.now(), process.cpuUsage()];
  for await (const { error } of magface.stream(inputs, { aligned: true })) if (error !== undefined) throw error;
  const used = process.cpuUsage();
  const cpu = (used.user - user + used.system - system) / 1000 / amount;
  return { rate: (1000 * amount) / (performance.now() - started), cpu };
}

/** A server's code is compiled by its first thousand requests; those of no image cost no inference. */
async function warm(service: Service): Promise<void> {
  const requests = [{ method: 'POST' as const, headers: { 'content-type': 'image/jpeg' }, body: 'no image' }];
  await autocannon({ url: `${service.address}/v1/faces`, requests, connections: 32, amount: 2000, timeout: 600 });
}

async function throughput(): Promise<object> {
  const amount = 384;
  await using magface = await MagFace.load({ model, detector: false });
  const service = await startService(['--model', model, '--aligned']);
  await bare(magface, 64);
  await warm(service);
  await served(service, 64);
  const rounds = [];
  for (let round = 0; round < 3; round++) {
    const [before, through, after] = [
      await bare(magface, amount),
      await served(service, amount),
      await bare(magface, amount),
    ];
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
  const medians = {
    rateRatio: median(rounds.map(({ rateRatio }) => rateRatio)),
    cpuRatio: median(rounds.map(({ cpuRatio }) => cpuRatio)),
  };
  return { model: 'arcface-mobilefacenet', connections: 32, medians, rounds };
}

/** The same service with and without shared batches. */
async function batching(): Promise<object> {
  const [together, alone] = [
    await startService(['--model', model, '--aligned']),
    await startService(['--model', model, '--aligned', '--batch', '1']),
  ];
  await Promise.all([rate(together, 64), rate(alone, 64)]);
  const rounds = [];
  for (let round = 0; round < 3; round++) {
    const [one, many] = [await rate(alone, 192), await rate(together, 192)];
    rounds.push({ alone: rounded(one), together: rounded(many), gain: rounded(many / one) });
  }
  await Promise.all([together.stop(), alone.stop()]);
  return { connections: 32, medianGain: median(rounds.map(({ gain }) => gain)), rounds };
}

async function latency(): Promise<object> {
  const service = await startService(['--model', model, '--aligned']);
  await rate(service, 64);
  const full = await rate(service, 256);
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

/** Uploads that send a byte a second. */
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

async function memory(): Promise<object> {
  const service = await startService(['--model', tiny, '--aligned']);
  const resident = [];
  for (let done = 0; done <= 20_000; done += 2_000) {
    resident.push({ requests: done, MiB: Math.round(await service.memory()) });
    if (done < 20_000) await rate(service, 2_000);
  }
  await service.stop();
  return { resident };
}

const parts = { throughput, batching, latency, 'slow-clients': slowClients, memory } as const;
const asked = process.argv.slice(2);
for (const [name, part] of Object.entries(parts))
  if (asked.length === 0 || asked.includes(name)) writeResult(`serve-load-${name}`, { ...(await part()) });
