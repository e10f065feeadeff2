/**
 * Faces in an image of any size: views of it go through the network one by one, each decoder reads its own outputs, and
 * what several views say about one face becomes one.
 */
import { Tensor } from 'onnxruntime-common';
import { MagfaceError, ModelError } from '../errors.ts';
import type { Box, DetectedFace } from '../face.ts';
import type { DetectorContract } from '../models/contract.ts';
import type { Pixels } from '../pixels.ts';
import { blazeface } from './blazeface.ts';
import { closable } from './closable-session.ts';
import { expectDetectOptions } from './expect-options.ts';
import { drawView, faceInImage, type View } from './letterbox.ts';
import { blended, iou, mergeFaces } from './nms.ts';
import type { ImageSize } from './pipeline.ts';
import { inputFiller } from './preprocess.ts';
import type { Session } from './session.ts';
import { planViews } from './views.ts';
import { yunet } from './yunet.ts';

/** What is particular to one family of detectors. */
export interface Decoder {
  /** Size of the input where the contract gives none, in pixels. */
  readonly tile: ImageSize;
  /** Its sides may be any multiple of this up to `tile`; undefined where the size is fixed. */
  readonly multiple: number | undefined;
  /** Side of the smallest face that it finds reliably, in pixels of its input. */
  readonly smallestFace: number;
  /** Share of a tile by which tiles overlap. */
  readonly overlap: number;
  /** Least score of a face when the caller names none. */
  readonly minScore: number;
  /** Whether its boxes for one face are averaged. */
  readonly blend: boolean;
  /** A face is looked at again so that it fills these shares of the input, which refines it and weeds out chance finds. */
  readonly closerLooks: readonly number[];
  /** Least mean score of the closer looks. */
  readonly confirmed: number;
  /** @returns faces in the input's pixels, doubles included */
  decode(outputs: (name: string) => Float32Array, input: ImageSize, minScore: number): DetectedFace[];
}

const decoders: Record<DetectorContract['decoder'], Decoder> = { yunet, blazeface };

export interface DetectorOptions {
  /** The model as people call it, for errors. */
  readonly name: string;
}

export interface DetectOptions {
  /** Least confidence of a face, 0 to 1. @default the decoder's own */
  readonly minScore?: number | undefined;
  /** Side of the smallest face looked for, in pixels of the image; large photos go faster with a larger one. @default 20 */
  readonly smallestFace?: number | undefined;
  /** Keep only so many, the largest. @default all */
  readonly maxFaces?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Finds faces; owns its session. */
export interface Detector {
  /** @returns the faces, largest first */
  detect(image: Pixels, options?: DetectOptions): Promise<DetectedFace[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * So many in a row that a closer look takes for no face end the search: the rest scored lower still. Without it a least score
 * of 0 would take minutes for a photo.
 */
const enough = 100;

/** @throws {ModelError} `model_run_failed` from `detect` when the network is not what the contract says */
export function createDetector(own: Session, contract: DetectorContract, { name }: DetectorOptions): Detector {
  const session = closable(own);
  const decoder = decoders[contract.decoder];
  const { width, height } = contract.input;
  const tile = width === undefined || height === undefined ? decoder.tile : { width, height };
  const multiple = tile === decoder.tile ? decoder.multiple : undefined;

  const look = async (image: Pixels, view: View, minScore: number): Promise<DetectedFace[]> => {
    const outputs = await runView(session, contract, drawView(image, view), name);
    const found = decoder.decode(outputs, view, minScore);
    const merged = mergeFaces(found, { blend: decoder.blend });
    return merged.map((face) => faceInImage(face, view)).filter((face) => isWhole(face, view, image));
  };

  /** The mean of what closer looks say, or undefined when they see no face. */
  const lookAgain = async (image: Pixels, face: DetectedFace): Promise<DetectedFace | undefined> => {
    if (decoder.closerLooks.length === 0) return face;
    const looks: DetectedFace[] = [];
    for (const share of decoder.closerLooks) {
      const found = await look(image, viewOf(face.box, tile, share), decoder.confirmed / 2);
      const same = found.find(({ box }) => iou(box, face.box) > 0.3);
      if (same !== undefined) looks.push(same);
    }
    const mean = looks.reduce((sum, { detection }) => sum + detection, 0) / decoder.closerLooks.length;
    return mean >= decoder.confirmed ? { ...blended(looks), detection: face.detection } : undefined;
  };

  const detect = async (image: Pixels, options: DetectOptions = {}): Promise<DetectedFace[]> => {
    const { minScore = decoder.minScore, smallestFace = 20, maxFaces, signal } = options;
    expectDetectOptions(options);
    const largestScale = decoder.smallestFace / smallestFace;
    const found: DetectedFace[] = [];
    const views = planViews(image, { tile, multiple, largestScale, overlap: decoder.overlap });
    for (const view of views) {
      signal?.throwIfAborted();
      const faces = await look(image, view, minScore);
      // Larger faces may be cut by every tile of this level; those that show the whole image cut none.
      const largest = showsAll(view, image)
        ? Infinity
        : (decoder.overlap * Math.min(tile.width, tile.height)) / view.scale;
      found.push(...faces.filter(({ box }) => Math.max(box.width, box.height) <= largest));
    }
    const faces: DetectedFace[] = [];
    let refused = 0; // in a row
    for (const face of mergeFaces(found)) {
      signal?.throwIfAborted();
      const confirmed = await lookAgain(image, face);
      refused = confirmed === undefined ? refused + 1 : 0;
      if (confirmed !== undefined) faces.push(confirmed);
      if (refused === enough) break;
    }
    return mergeFaces(faces)
      .sort((a, b) => b.box.width * b.box.height - a.box.width * a.box.height)
      .slice(0, maxFaces);
  };

  return { detect, [Symbol.asyncDispose]: () => session.release() };
}

async function runView(
  session: Session,
  { input }: DetectorContract,
  view: Pixels,
  name: string,
): Promise<(output: string) => Float32Array> {
  const { width, height } = view;
  const values = new Float32Array(3 * width * height);
  inputFiller({ ...input, width, height })(view, values, 0);
  const dims = input.layout === 'NCHW' ? [1, 3, height, width] : [1, height, width, 3];
  const feeds = { [session.inputNames[0]!]: new Tensor('float32', values, dims) };
  const fail = (why: string, cause?: unknown): never => {
    if (cause instanceof MagfaceError) throw cause;
    throw new ModelError('model_run_failed', name, `Expected ${name} to detect faces but it failed: ${why}.`, {
      cause,
    });
  };
  const outputs = await session.run(feeds, session.outputNames).catch((cause: unknown) => fail(String(cause), cause));
  return (output) => {
    const values = outputs[output]?.data;
    return values instanceof Float32Array ? values : fail(`it has no float32 output named ${output}`);
  };
}

/**
 * A view with the face in its middle, `share` of its width. It lies on whole pixels, so that the last bits in which
 * runtimes differ do not make them look at different pixels: Node and browsers then agree to a few 1e-5.
 */
function viewOf(box: Box, { width, height }: ImageSize, share: number): View {
  const scale = (share * width) / Math.max(1, Math.round(Math.max(box.width, box.height)));
  const [centreX, centreY] = [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)];
  return { x: centreX - width / scale / 2, y: centreY - height / scale / 2, scale, width, height };
}

function showsAll(view: View, { width, height }: ImageSize): boolean {
  const [right, bottom] = [view.x + view.width / view.scale, view.y + view.height / view.scale];
  return view.x <= 1e-6 && view.y <= 1e-6 && right >= width - 1e-6 && bottom >= height - 1e-6;
}

/** A face at the edge of a tile is cut there, unless the image ends there too: a neighbouring tile or a coarser view sees all of it. */
function isWhole({ box }: DetectedFace, view: View, image: ImageSize): boolean {
  const [right, bottom] = [view.x + view.width / view.scale, view.y + view.height / view.scale];
  return (
    (box.x >= view.x || view.x <= 0) &&
    (box.y >= view.y || view.y <= 0) &&
    (box.x + box.width <= right || right >= image.width) &&
    (box.y + box.height <= bottom || bottom >= image.height)
  );
}
