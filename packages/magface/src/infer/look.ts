/** One look at one view of an image: draws, turns, runs the network, and maps faces back to the image. */
import { Tensor } from 'onnxruntime-common';
import { MagfaceError, ModelError } from '../errors.ts';
import type { DetectedFace } from '../face.ts';
import type { DetectorContract } from '../models/contract.ts';
import type { ImageSize, Pixels } from '../pixels.ts';
import type { Decoder } from './decoder.ts';
import { faceInImage, type View } from './letterbox.ts';
import { mergeFaces } from './nms.ts';
import { inputFiller } from './preprocess.ts';
import { type QuarterTurn, turned, turnedBack } from './quarter-turn.ts';
import type { Scene } from './scene.ts';
import type { Session } from './session.ts';

/** A network and its decoder. */
export interface Looker {
  readonly session: Session;
  readonly contract: DetectorContract;
  readonly decoder: Decoder;
  /** The model's name, for errors. */
  readonly name: string;
}

/** Options of a look. */
export interface LookOptions {
  readonly minScore: number;
  /** Clockwise turn of the view in degrees. @default 0 */
  readonly turn?: QuarterTurn;
}

/** @returns the faces wholly in a view, without duplicates, confident ones first */
export async function look(
  looker: Looker,
  scene: Scene,
  view: View,
  { minScore, turn = 0 }: LookOptions,
): Promise<DetectedFace[]> {
  const { decoder } = looker;
  const input = turned(scene.draw(view), turn);
  const outputs = await runView(looker, input);
  const found = decoder.decode(outputs, input, Math.min(minScore, decoder.minScore));
  // Weak faces do not enter the mean of strong ones: options change no numbers.
  return bySureness(found, decoder)
    .flatMap((faces) => mergeFaces(faces, { blend: decoder.blend }))
    .map((face) => faceInImage(turnedBack(face, turn, view), view))
    .filter((face) => isWhole(face, view, scene));
}

/** @returns the faces above the decoder's own minimum score, and those that only the caller's admits */
export function bySureness(
  faces: readonly DetectedFace[],
  { minScore }: Pick<Decoder, 'minScore'>,
): [sure: DetectedFace[], unsure: DetectedFace[]] {
  return [
    faces.filter(({ detection }) => detection >= minScore),
    faces.filter(({ detection }) => detection < minScore),
  ];
}

async function runView(
  { session, contract: { input }, name }: Looker,
  view: Pixels,
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

/** A face at a tile's edge is cut off, unless the image ends there: a neighbouring tile or a coarser view sees all of it. */
function isWhole({ box }: DetectedFace, view: View, image: ImageSize): boolean {
  const [right, bottom] = [view.x + view.width / view.scale, view.y + view.height / view.scale];
  return (
    (box.x >= view.x || view.x <= 0) &&
    (box.y >= view.y || view.y <= 0) &&
    (box.x + box.width <= right || right >= image.width) &&
    (box.y + box.height <= bottom || bottom >= image.height)
  );
}
