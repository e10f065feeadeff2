/**
 * Faces in an image of any size: views of it go through the network one by one, each decoder reads its own outputs, and
 * a face that several views show is kept once. Options only filter: a face that is found has the same numbers whatever
 * `minScore`, `minFace` and `maxFaces` are, since the coarsest view that shows it decides.
 */
import { Tensor } from 'onnxruntime-common';
import { MagfaceError, ModelError } from '../errors.ts';
import type { Box, DetectedFace } from '../face.ts';
import type { DetectorContract } from '../models/contract.ts';
import type { Pixels } from '../pixels.ts';
import { blazeface } from './blazeface.ts';
import { closable } from './closable-session.ts';
import { expectDetectOptions } from './expect-options.ts';
import { faceInImage, type View, viewDrawer } from './letterbox.ts';
import { blended, iou, mergeFaces, withoutDoubles } from './nms.ts';
import type { ImageSize } from './pipeline.ts';
import { inputFiller } from './preprocess.ts';
import { type QuarterTurn, turned, turnedBack } from './quarter-turn.ts';
import type { Session } from './session.ts';
import { defaultMinFace, planViews } from './views.ts';
import { yunet } from './yunet.ts';

/** What is particular to one family of detectors. */
export interface Decoder {
  /** Largest input in pixels, or its only size. */
  readonly frame: ImageSize;
  /** Its sides may be any multiple of this up to `frame`; undefined where the size is fixed. */
  readonly multiple: number | undefined;
  /** Black margin around the whole image, as a share of the image's longer side. */
  readonly margin: number;
  /** Side of the smallest face that it finds reliably, in pixels of its input. */
  readonly reach: number;
  /** Share of a tile by which tiles overlap. */
  readonly overlap: number;
  /** Least score of a face when the caller names none. */
  readonly minScore: number;
  /** An image with a face of this score is upright. Another one is turned by quarters and looked at again. */
  readonly certainScore: number;
  /** Least score of a face in an image that was turned: three more looks find more that is no face. */
  readonly minTurnedScore: number;
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
  /** Side of the smallest face wanted, in pixels of the image. @default a 25th of the image's shorter side */
  readonly minFace?: number | undefined;
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
 * After so many refusals in a row by closer looks the search ends, since the rest scored lower still. Without this limit a
 * least score of 0 would take minutes for a photo.
 */
const enough = 100;

/** @throws {ModelError} `model_run_failed` from `detect` when the network is not what the contract says */
export function createDetector(own: Session, contract: DetectorContract, { name }: DetectorOptions): Detector {
  const session = closable(own);
  const decoder = decoders[contract.decoder];
  const { width, height } = contract.input;
  const frame = width === undefined || height === undefined ? decoder.frame : { width, height };
  const multiple = frame === decoder.frame ? decoder.multiple : undefined;
  const plan = { ...decoder, frame, multiple };

  const isSure = ({ detection }: DetectedFace): boolean => detection >= decoder.minScore;

  const look = async (image: Scene, view: View, minScore: number, turn: QuarterTurn = 0): Promise<DetectedFace[]> => {
    const input = turned(image.draw(view), turn);
    const outputs = await runView(session, contract, input, name);
    const found = decoder.decode(outputs, input, Math.min(minScore, decoder.minScore));
    // Weak finds have no part in the mean of strong ones: options change no numbers.
    const [sure, unsure] = [found.filter(isSure), found.filter((face) => !isSure(face))];
    return [sure, unsure]
      .flatMap((faces) => mergeFaces(faces, { blend: decoder.blend }))
      .map((face) => faceInImage(turnedBack(face, turn, view), view))
      .filter((face) => isWhole(face, view, image));
  };

  /** The mean of what closer looks say, or undefined when they see no face. */
  const lookAgain = async (image: Scene, face: DetectedFace): Promise<DetectedFace | undefined> => {
    if (decoder.closerLooks.length === 0) return face;
    const looks: DetectedFace[] = [];
    for (const share of decoder.closerLooks) {
      const found = await look(image, viewOf(face.box, frame, share), decoder.confirmed / 2);
      const same = found.find(({ box }) => iou(box, face.box) > 0.3);
      if (same !== undefined) looks.push(same);
    }
    const mean = looks.reduce((sum, { detection }) => sum + detection, 0) / decoder.closerLooks.length;
    return mean >= decoder.confirmed ? { ...blended(looks), detection: face.detection } : undefined;
  };

  /** Faces of the image as it is, those of coarser levels first. */
  const search = async (image: Scene, { minScore, minFace, signal }: Search): Promise<DetectedFace[]> => {
    const levels = planViews(image, { ...plan, minFace: minFace ?? defaultMinFace(image) });
    const found: DetectedFace[] = [];
    for (const views of levels) {
      const here: DetectedFace[] = [];
      for (const view of views) {
        signal?.throwIfAborted();
        // A tile may cut faces larger than its overlap; the coarser levels have seen those.
        const largest =
          views.length === 1 ? Infinity : (decoder.overlap * Math.min(view.width, view.height)) / view.scale;
        const faces = await look(image, view, minScore);
        here.push(...faces.filter(({ box }) => Math.max(box.width, box.height) <= largest));
      }
      found.push(...mergeFaces(here));
    }
    return withoutDoubles([...found.filter(isSure), ...found.filter((face) => !isSure(face))]);
  };

  /** Faces of an image that lies on its side or upside down, as phones write them; only the whole image is looked at. */
  const searchTurned = async (image: Scene, { minScore, signal }: Search): Promise<DetectedFace[]> => {
    const [[view]] = planViews(image, { ...plan, minFace: defaultMinFace(image) }) as [[View]];
    let best: DetectedFace[] = [];
    for (const turn of [180, 90, 270] as const) {
      signal?.throwIfAborted();
      const least = Math.max(minScore, decoder.minTurnedScore);
      const faces = (await look(image, view, least, turn)).filter(({ detection }) => detection >= least);
      if (sumOfScores(faces) > sumOfScores(best)) best = faces.map((face) => ({ ...face, turned: turn }));
    }
    return best;
  };

  const detect = async (pixels: Pixels, options: DetectOptions = {}): Promise<DetectedFace[]> => {
    const image = { width: pixels.width, height: pixels.height, draw: viewDrawer(pixels) };
    const { minScore = decoder.minScore, minFace, maxFaces, signal } = options;
    expectDetectOptions(options);
    const found = await search(image, { minScore, minFace, signal });
    const faces: DetectedFace[] = [];
    let refused = 0; // in a row
    for (const face of found.filter(({ detection }) => detection >= minScore)) {
      signal?.throwIfAborted();
      const confirmed = await lookAgain(image, face);
      refused = confirmed === undefined ? refused + 1 : 0;
      if (confirmed !== undefined) faces.push(confirmed);
      if (refused === enough) break;
    }
    const upright = withoutDoubles(faces);
    // A face that stands on its head is sometimes found as a weak one.
    const isCertain = upright.some(({ detection }) => detection >= decoder.certainScore);
    const lying = isCertain ? [] : await searchTurned(image, { minScore, minFace, signal });
    return (sumOfScores(lying) > sumOfScores(upright) ? lying : upright)
      .filter(({ box }) => minFace === undefined || Math.max(box.width, box.height) >= minFace)
      .sort((a, b) => b.box.width * b.box.height - a.box.width * a.box.height)
      .slice(0, maxFaces);
  };

  return { detect, [Symbol.asyncDispose]: () => session.release() };
}

/** An image while it is searched. */
interface Scene extends ImageSize {
  readonly draw: (view: View) => Pixels;
}

interface Search {
  readonly minScore: number;
  readonly minFace: number | undefined;
  readonly signal: AbortSignal | undefined;
}

const sumOfScores = (faces: readonly DetectedFace[]): number => faces.reduce((sum, face) => sum + face.detection, 0);

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
