/** Checks that shards are the whole of one run before they are merged. */
import { ConfigError } from '../errors.ts';
import { type KnownRun, type RunHeader, readRun } from './journal.ts';

/** A finished shard, or a finished run without shards. */
export interface FinishedShard {
  /** File or folder that it wrote. */
  readonly output: string;
  readonly header: RunHeader;
  readonly images: KnownRun['images'];
}

/**
 * @param outputs - of all shards of one run, in any order
 * @returns them in the order of the run's images
 * @throws {ConfigError} if one is missing, unfinished or of another run
 */
export async function finishedShards(outputs: readonly string[]): Promise<readonly FinishedShard[]> {
  const shards: FinishedShard[] = [];
  for (const output of outputs) shards.push(await finishedShard(output));
  shards.sort((a, b) => (a.header.shard?.index ?? 1) - (b.header.shard?.index ?? 1));
  const [first] = shards;
  if (first === undefined)
    throw new ConfigError('input', { expected: 'shards to merge', received: 'none', remedy: 'name their files' });
  for (const shard of shards) expectSameRun(first, shard);
  const count = first.header.shard?.count ?? 1;
  const indexes = shards.map(({ header }) => header.shard?.index ?? 1);
  const twice = indexes.find((index, at) => indexes.indexOf(index) !== at);
  if (twice !== undefined) throw refusal(`each shard once but received shard ${twice} twice`, 'name each file once');
  const missing = Array.from({ length: count }, (_, i) => i + 1).filter((index) => !indexes.includes(index));
  if (missing.length > 0)
    throw refusal(
      `all ${count} shards but received ${shards.length}`,
      `add shard ${missing.slice(0, 5).join(', ')}${missing.length > 5 ? ', ...' : ''}`,
    );
  return shards;
}

async function finishedShard(output: string): Promise<FinishedShard> {
  const run = await readRun(output);
  if (run?.header === undefined)
    throw refusal(
      `what a run with --resume or --shard wrote but ${output} has no journal`,
      `keep ${output}.run beside it`,
    );
  if (!run.complete)
    throw refusal(
      `finished shards but ${output} has only ${run.images.length.toLocaleString('en')} images so far`,
      'repeat its command with --resume',
    );
  return { output, header: run.header, images: run.images };
}

/** The settings, models and list of images must be the same; only the index differs. */
function expectSameRun(a: FinishedShard, b: FinishedShard): void {
  const whole = ({ header: { shard, ...rest } }: FinishedShard): string =>
    JSON.stringify([rest, shard?.count, shard?.list]);
  if (whole(a) === whole(b)) return;
  throw refusal(
    `shards of one run but ${a.output} and ${b.output} differ in command, flags, models or list of images`,
    'merge the shards of one run',
  );
}

const refusal = (expected: string, remedy: string): ConfigError =>
  new ConfigError('input', { expected: expected, remedy: remedy });
