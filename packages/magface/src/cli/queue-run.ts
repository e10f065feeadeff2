/** Workers of a queue (`--queue`): each takes part after part of a run until none is left. */
import { ConfigError } from '../errors.ts';
import { FolderInUseError } from '../machine/folder-lock.ts';
import { isFinished, listDigest } from '../runs/journal.ts';
import { openQueue } from '../runs/queue.ts';
import { shardOf, shardPath } from '../runs/shard.ts';
import { type BigRunOptions, digestsOf, partOf, settingsOf } from './big-run.ts';
import { type Context, note } from './context.ts';
import type { ExitCode } from './errors.ts';
import { findImages, type ImageFile } from './inputs.ts';
import { formatOf } from './options.ts';
import { type ImagePart, isPart, loadMagFace } from './run-images.ts';
import type { Recogniser } from './services.ts';

const imagesPerPart = 500;
const usualParts = { least: 16, most: 10_000 } as const;
/** Seconds until a part is looked at again that another worker seems to hold. */
const recheck = 5;

type Words = Extract<BigRunOptions['inputs'], readonly string[]>;
type QueueOptions<Flags> = BigRunOptions & {
  readonly inputs: Words;
  readonly flags: Flags & { readonly queue: string };
};

/** @throws {ConfigError} if `--queue` is mixed with `--shard` */
export function isQueue<Options extends BigRunOptions>(
  options: Options,
): options is Options & QueueOptions<Options['flags']> {
  const { flags, inputs } = options;
  if (flags.queue === undefined || isPart(inputs)) return false;
  if (flags.shard === undefined) return true;
  const remedy = 'leave one out: the queue makes the parts';
  throw new ConfigError('queue', { expected: 'either --queue or --shard', received: 'both', remedy });
}

export interface QueueHandlers<Flags> {
  readonly context: Context;
  /** Called once, with all images. */
  readonly found?: (files: readonly ImageFile[]) => Promise<void> | void;
  /** Runs a part as the command runs a shard. */
  readonly run: (part: ImagePart, flags: Flags, context: Context) => Promise<ExitCode>;
}

/**
 * Runs parts until none is left of any worker. The models stay open in between.
 *
 * @returns 1 if an image of this worker's parts failed
 */
export async function runQueue<Flags extends BigRunOptions['flags']>(
  options: QueueOptions<Flags>,
  { context, found, run }: QueueHandlers<Flags>,
): Promise<ExitCode> {
  const { command, inputs, flags, output } = options;
  const { signal, services } = context;
  const files = await findImages(inputs, { ...flags, ...context, onNote: undefined });
  await found?.(files);
  const count = flags.parts ?? usualCount(files.length);
  partOf(files, { index: 1, count });
  const list = listDigest(files.map(({ name }) => name));
  await using magface = await loadMagFace(flags, context, files.length);
  const keptOpen = { ...context, services: { ...services, load: async () => lent(magface) } };
  const outputs = Array.from({ length: count }, (_, at) => shardPath(output, { index: at + 1, count }));
  const identity = [command, settingsOf(options), digestsOf(magface), list, outputs.at(-1)];
  await using queue = await openQueue(flags.queue, { run: identity, outputs, lease: flags.lease });
  const format = formatOf(flags) === 'json' ? 'jsonl' : formatOf(flags); // a record for each part
  let exitCode: ExitCode = 0;
  for (let part = await queue.take(signal); part !== undefined; part = await queue.take(signal)) {
    const shard = { index: part.index, count };
    try {
      const ended = await run(
        { shard, list, files: shardOf(files, shard) },
        { ...flags, quiet: true, json: false, format },
        keptOpen,
      );
      if (ended === 1) exitCode = 1;
    } catch (error) {
      await part.giveBack(error instanceof FolderInUseError ? recheck : 0);
      if (error instanceof FolderInUseError) continue;
      throw error;
    }
    await part.done();
  }
  await expectAllFinished(outputs);
  if (flags.quiet !== true)
    note(
      context,
      `All ${count} parts are finished: join them with \`magface merge ${partsPattern(outputs)} --output ${output}\`.`,
    );
  return exitCode;
}

const usualCount = (images: number): number =>
  Math.min(images, usualParts.most, Math.max(usualParts.least, Math.ceil(images / imagesPerPart)));

/** A recogniser that stays open when its borrower disposes it. */
const lent = (magface: Recogniser): Recogniser => ({
  model: magface.model,
  detector: magface.detector,
  engine: magface.engine,
  detect: (...given) => magface.detect(...given),
  stream: (...given) => magface.stream(...given),
  [Symbol.asyncDispose]: async () => undefined,
});

/** `faces.01-of-16.jsonl` becomes `faces.*-of-16.jsonl` */
const partsPattern = ([first]: readonly string[]): string => first!.replace(/\d+(?=-of-\d+(\.\w+)?$)/, '*');

/** @throws {ConfigError} if a part was given up, or lies on another machine */
async function expectAllFinished(outputs: readonly string[]): Promise<void> {
  for (const [at, output] of outputs.entries()) {
    if (await isFinished(output)) continue;
    throw new ConfigError('queue', {
      expected: `part ${at + 1} to be finished in ${output}`,
      problem: 'it is not',
      remedy: `run it alone with --shard ${at + 1}/${outputs.length} --resume if its workers died, and give all workers the same folder`,
    });
  }
}
