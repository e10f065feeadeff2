/** Shared by commands over many images: find images, load models, show progress, count failures. */
import { asImageError, ConfigError, ImageError, type ImageErrorCode, type MagfaceError } from '../errors.ts';
import type { AnalyzedFace } from '../face.ts';
import { isFew, usualWorkers } from '../infer/node/workers.ts';
import type { StreamResult } from '../infer/pipeline.ts';
import type { ImageSize } from '../pixels.ts';
import type { Shard } from '../runs/shard.ts';
import type { ConfigOf } from '../settings/setting.ts';
import { type Context, note } from './context.ts';
import { findImages, type ImageFile } from './inputs.ts';
import { type flipSettings, formatOf, type InputFlags, type ModelFlags, type OutputFlags } from './options.ts';
import { startProgress } from './progress.ts';
import type { Recogniser } from './services.ts';

export type RunFlags = InputFlags & ModelFlags & OutputFlags & ConfigOf<typeof flipSettings>;

/** Result of one image: its faces, or why there are none. */
export type ImageOutcome =
  | { readonly file: ImageFile; readonly size: ImageSize; readonly faces: readonly AnalyzedFace[] }
  | { readonly file: ImageFile; readonly error: MagfaceError };

/** Reports an image and counts it as failed: any image that was run. */
export type FailImage = (error: MagfaceError, file: ImageFile) => void;

export interface RunHandlers {
  /** Called once, after images are found and before models load. */
  readonly found?: (files: readonly ImageFile[]) => Promise<void> | void;
  /** Selects the images to run, after `found`. If it selects none, no model loads. @default all */
  readonly choose?: (files: readonly ImageFile[]) => Promise<readonly ImageFile[]> | readonly ImageFile[];
  /** Called once, before the first image. */
  readonly start?: (magface: Recogniser, files: readonly ImageFile[]) => Promise<void> | void;
  /** Whether an image without faces is neither reported nor counted as a failure. @default false */
  readonly mayLackFaces?: boolean;
  /** Called in the order of the inputs. A thrown ImageError is reported and counted as a failure of the image. */
  readonly outcome: (outcome: ImageOutcome, fail: FailImage) => Promise<void>;
  /** Called after the last image. */
  readonly end?: (fail: FailImage) => Promise<void>;
}

export interface RunCounts {
  readonly images: number;
  readonly failed: number;
}

/** What a command is to run: the user's words, or a part of a queue. */
export type Inputs = readonly string[] | ImagePart;

/** Images that are a part of a run. */
export interface ImagePart {
  readonly shard: Shard;
  /** Identifies the list of all images. */
  readonly list: string;
  readonly files: readonly ImageFile[];
}

export const isPart = (inputs: Inputs): inputs is ImagePart => 'files' in inputs;

/** Reports images that are unreadable or have no face on stderr, counts them, and continues. */
export async function runImages(
  inputs: Inputs,
  flags: RunFlags,
  { context, found, choose, start, mayLackFaces = false, outcome, end }: RunHandlers & { readonly context: Context },
): Promise<RunCounts> {
  const onNote = flags.quiet === true ? undefined : (line: string) => note(context, line);
  const all = isPart(inputs) ? inputs.files : await findImages(inputs, { ...flags, ...context, onNote });
  if (!isPart(inputs)) await found?.(all);
  const files = (await choose?.(all)) ?? all;
  if (files.length === 0) return { images: 0, failed: 0 };
  await using magface = await loadMagFace(flags, context, files.length);
  await start?.(magface, files);
  const scrolling = context.stdout.isTTY === true && formatOf(flags) !== 'table';
  const quiet = flags.quiet === true;
  const progress = startProgress(context.stderr, { total: files.length, unit: 'images', quiet, bar: !scrolling });
  let [images, failed] = [0, 0];
  const fail: FailImage = (error, file) => {
    failed++;
    progress.note(sayOf(error, file));
  };
  try {
    for await (const done of outcomes(magface, files, streamOptions(flags, context.signal))) {
      if ('error' in done && !(mayLackFaces && done.error.code === 'no_face')) fail(done.error, done.file);
      await outcome(done, fail).catch((error: unknown) => fail(asImageError(error), done.file));
      progress.update(++images);
    }
    context.signal.throwIfAborted();
    await end?.(fail);
  } finally {
    progress.stop();
  }
  return { images, failed };
}

/** In the order of the files; non-images skip the networks. */
async function* outcomes(
  magface: Recogniser,
  files: readonly ImageFile[],
  options: ReturnType<typeof streamOptions>,
): AsyncGenerator<ImageOutcome> {
  let at = 0;
  function* withoutImages(): Generator<ImageOutcome> {
    for (let file = files[at]; file?.error !== undefined; file = files[++at]) yield { file, error: file.error };
  }
  const paths = files.flatMap(({ path, error }) => (error === undefined ? [path] : []));
  for await (const result of magface.stream(paths, options)) {
    yield* withoutImages();
    yield outcomeOf(result, files[at++]!);
  }
  yield* withoutImages();
}

function outcomeOf(result: StreamResult<string>, file: ImageFile): ImageOutcome {
  if (result.error !== undefined) return { file, error: result.error };
  if (result.faces.length === 0) return { file, error: noFace(file) };
  return { file, size: result.image, faces: result.faces };
}

/**
 * Loads the models of the flags; prints assumptions about a model on stderr.
 *
 * @param images - expected number; for few, starting workers does not pay
 */
export async function loadMagFace(
  flags: ModelFlags & OutputFlags,
  context: Context,
  images: number,
): Promise<Recogniser> {
  if (flags.aligned === true && flags.detector !== undefined)
    throw new ConfigError('detector', {
      expected: 'either --aligned or --detector',
      received: 'both',
      remedy: 'leave one out',
    });
  const magface = await context.services.load({
    model: flags.model,
    detector: flags.aligned === true ? false : flags.detector,
    engine: flags.engine,
    device: flags.device,
    batchSize: flags.batch,
    threads: flags.threads,
    workers: isFew(images, flags) ? 1 : (flags.workers ?? usualWorkers(flags.threads)),
    offline: flags.offline,
    cacheDir: context.env['MAGFACE_CACHE'],
    signal: context.signal,
    onProgress: downloadNotes(flags, context),
  });
  if (flags.quiet !== true)
    for (const model of [magface.model, magface.detector])
      for (const line of [model?.assumed ?? []].flat()) note(context, line);
  return magface;
}

/** Shows the name and progress of a model's download. */
export function downloadNotes(
  flags: OutputFlags,
  context: Context,
): NonNullable<Parameters<Context['services']['load']>[0]['onProgress']> {
  const bars = new Map<string, ReturnType<typeof startProgress>>();
  return ({ model, received, total }) => {
    if (flags.quiet === true || total === undefined) return;
    const [done, all] = [received, total].map((bytes) => Number((bytes / 1e6).toFixed(1))) as [number, number];
    if (!bars.has(model)) {
      note(context, `Downloading ${model} (${all} MB), once.`);
      bars.set(model, startProgress(context.stderr, { total: all, unit: 'MB' }));
    }
    bars.get(model)!.update(done);
    if (received >= total) bars.get(model)!.stop();
  };
}

export function streamOptions(
  { aligned = false, flip = false, minFaceScore, minFace }: RunFlags,
  signal: AbortSignal,
): NonNullable<Parameters<Recogniser['stream']>[1]> {
  return { aligned, flip, signal, minScore: minFaceScore, minFace };
}

export function noFace({ name }: ImageFile): ImageError {
  const remedy =
    'try a lower --min-face or --min-face-score, another --detector, or --aligned if it is an aligned face';
  return new ImageError('no_face', name, { expected: 'a face', subject: name, problem: 'shows none', remedy });
}

/** The library's remedies in terms of flags, by error code. */
const remedies: Partial<Record<ImageErrorCode, string>> = {
  image_wrong_size: 'align it first, or omit --aligned',
};

/** Replaces the library's paths and option keys by what the user typed. */
export const named = (
  error: ImageError,
  { name }: ImageFile,
  remedy: string | undefined = remedies[error.code],
): ImageError => error.named(name, remedy);

/** @returns the error in the words of the command line */
export const asTyped = (error: MagfaceError, file: ImageFile): MagfaceError =>
  error instanceof ImageError ? named(error, file) : error;

/** @returns the user's message */
export const sayOf = (error: MagfaceError, file: ImageFile): string => asTyped(error, file).message;
