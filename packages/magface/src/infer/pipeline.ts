/**
 * Runs many images through one detector and one recogniser: images are read ahead while the network runs, faces of
 * several images share a batch, and results keep the order of the inputs. With a slow source, nothing waits for a full
 * batch.
 */
import { alignmentMatrix, template } from '../align.ts';
import { asImageError, MagfaceError } from '../errors.ts';
import type { AffineMatrix, AnalyzedFace, DetectedFace } from '../face.ts';
import type { ImageSize, Pixels } from '../pixels.ts';
import { type Calibration, qualityScore } from '../quality.ts';
import { findReasons } from '../reasons.ts';
import { estimateRemedies } from '../what-if.ts';
import type { Aligner } from './aligner.ts';
import type { DetectOptions, Detector } from './detector.ts';
import type { Embedder } from './embedder.ts';
import { idle, inTime } from './in-time.ts';
import { cutFace, sceneOf } from './scene.ts';

/** Parts of the pipeline. */
export interface PipelineParts {
  readonly embedder: Embedder;
  /** Undefined if all inputs are aligned faces. */
  readonly detector: Detector | undefined;
  /** Undefined if only the detector's landmarks align faces. */
  readonly aligner: Aligner | undefined;
  readonly calibration: Calibration | undefined;
}

/** Options for detecting and embedding faces. */
export interface AnalyzeOptions extends DetectOptions {
  /** The inputs are faces aligned to the template: detection is skipped. @default false */
  readonly aligned?: boolean | undefined;
  /** Embeddings are the sum of the face's and its mirror image's. @default false */
  readonly flip?: boolean | undefined;
}

/** One input's faces, largest first, or its error. */
export type StreamResult<Input> =
  | {
      readonly input: Input;
      readonly index: number;
      readonly image: ImageSize;
      readonly faces: readonly AnalyzedFace[];
      readonly error?: never;
    }
  | { readonly input: Input; readonly index: number; readonly error: MagfaceError; readonly faces?: never };

/** Reads one input; throws MagfaceError if it is unusable. */
export type ReadImage<Input> = (input: Input, options: { readonly signal: AbortSignal | undefined }) => Promise<Pixels>;

/** A face found and cut out, not yet embedded. */
type Cut = DetectedFace & { readonly alignment: AffineMatrix; readonly crop: Pixels };

interface Ready<Input> {
  readonly input: Input;
  readonly index: number;
  readonly found: { readonly image: ImageSize; readonly cuts: readonly Cut[] } | MagfaceError;
}

/** How many inputs are read ahead: enough to hide the disk's latency, with only a few photos in memory. */
const readAhead = { photos: 4, aligned: 16 } as const;

/** @returns results in the order of the inputs; an unusable one is a result with `error`, not an exception */
export async function* analyzeMany<Input>(
  inputs: Iterable<Input> | AsyncIterable<Input>,
  parts: PipelineParts,
  options: AnalyzeOptions & { readonly read: ReadImage<Input> },
): AsyncGenerator<StreamResult<Input>> {
  const batch: Ready<Input>[] = [];
  let faces = 0;
  for await (const ready of cutMany(inputs, parts, options)) {
    if (ready !== idle) {
      batch.push(ready);
      if (!(ready.found instanceof MagfaceError)) faces += ready.found.cuts.length;
      if (faces < parts.embedder.batchSize && batch.length < 4 * parts.embedder.batchSize) continue;
    }
    yield* await finish(batch.splice(0), parts, options);
    faces = 0;
  }
  yield* await finish(batch, parts, options);
}

/** Reads ahead, then detects and cuts out, one image at a time. */
async function* cutMany<Input>(
  inputs: Iterable<Input> | AsyncIterable<Input>,
  parts: PipelineParts,
  options: AnalyzeOptions & { readonly read: ReadImage<Input> },
): AsyncGenerator<Ready<Input> | typeof idle> {
  const { read, signal } = options;
  const ahead = options.aligned === true ? readAhead.aligned : readAhead.photos;
  const reading: { input: Input; pixels: Promise<Pixels | MagfaceError> }[] = [];
  let index = 0;
  const next = async (): Promise<Ready<Input>> => {
    const { input, pixels } = reading.shift()!;
    const image = await pixels;
    const found = image instanceof MagfaceError ? image : await cut(image, parts, options).catch(asImageError);
    return { input, index: index++, found };
  };
  for await (const input of inTime(inputs, signal)) {
    if (input === idle) {
      while (reading.length > 0) yield await next();
      yield idle; // process a partial batch, since the source is slow
      continue;
    }
    const pixels = read(input, { signal }).catch(asImageError);
    pixels.catch(() => undefined); // an abort is thrown in its turn, not as an unhandled rejection
    reading.push({ input, pixels });
    if (reading.length > ahead) yield await next();
  }
  while (reading.length > 0) yield await next();
}

async function cut(
  image: Pixels,
  { detector, aligner }: PipelineParts,
  options: AnalyzeOptions,
): Promise<{ image: ImageSize; cuts: Cut[] }> {
  const size = { width: image.width, height: image.height };
  if (options.aligned === true || detector === undefined) return { image: size, cuts: [alignedFace(image)] };
  const scene = sceneOf(image);
  const faces = await detector.detect(scene, options);
  const alignments =
    (await aligner?.align(scene, faces)) ?? faces.map(({ landmarks, mouth }) => alignmentMatrix(landmarks, mouth));
  const cuts = faces.map((face, i) => ({ ...face, alignment: alignments[i]!, crop: cutFace(scene, alignments[i]!) }));
  return { image: size, cuts };
}

const unchanged: AffineMatrix = [
  [1, 0, 0],
  [0, 1, 0],
];

/** An input that is already a face: its landmarks are the template's by definition. */
function alignedFace(crop: Pixels): Cut {
  const box = { x: 0, y: 0, width: crop.width, height: crop.height };
  return { box, landmarks: template, mouth: 'corners', detection: 1, alignment: unchanged, crop };
}

/** Embeds the faces of some inputs together and gives each its own. */
async function finish<Input>(
  batch: readonly Ready<Input>[],
  { embedder, calibration }: PipelineParts,
  options: AnalyzeOptions,
): Promise<StreamResult<Input>[]> {
  const cuts = batch.flatMap(({ found }) => (found instanceof MagfaceError ? [] : found.cuts));
  const embeddings = await embedder.embed(
    cuts.map(({ crop }) => crop),
    options,
  );
  let used = 0;
  return batch.map(({ input, index, found }) => {
    if (found instanceof MagfaceError) return { input, index, error: found };
    const faces = found.cuts.map((cut): AnalyzedFace => {
      const { embedding, magnitude } = embeddings[used++]!;
      const quality = calibration === undefined ? undefined : qualityScore(magnitude, calibration);
      const { image } = found;
      const reasons = findReasons({ ...cut, image }, quality);
      const estimates = estimateRemedies(magnitude, reasons, calibration);
      return { ...cut, image, embedding, magnitude, quality, reasons, estimates };
    });
    return { input, index, image: found.image, faces };
  });
}
