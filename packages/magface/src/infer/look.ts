/** One look at one region of an image: draws, turns, runs the network, and maps faces back to the image. */
import { Tensor } from 'onnxruntime-common';
import { firstLine, MagfaceError, ModelError } from '../errors.ts';
import type { Box, DetectedFace, Landmarks, Point } from '../face.ts';
import type { DetectorContract } from '../models/contract.ts';
import { blankPixels, type ImageSize, type Pixels } from '../pixels.ts';
import type { Decoder } from './decoder.ts';
import { faceInImage, type Region, type Scene } from './scene.ts';
import { inputFiller, type Session } from './session.ts';

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
  /** Clockwise turn of the region in degrees. @default 0 */
  readonly turn?: QuarterTurn;
}

/** @returns the faces wholly in a region, without duplicates, confident ones first */
export async function look(
  looker: Looker,
  scene: Scene,
  region: Region,
  { minScore, turn = 0 }: LookOptions,
): Promise<DetectedFace[]> {
  const { decoder } = looker;
  const input = turned(scene.draw(region), turn);
  const outputs = await runRegion(looker, input);
  const found = decoder.decode(outputs, input, Math.min(minScore, decoder.minScore));
  // Weak faces do not enter the mean of strong ones: options change no numbers.
  return bySureness(found, decoder)
    .flatMap((faces) => mergeFaces(faces, { blend: decoder.blend }))
    .map((face) => faceInImage(turnedBack(face, turn, region), region))
    .filter((face) => isWhole(face, region, scene));
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

async function runRegion(
  { session, contract: { input }, name }: Looker,
  region: Pixels,
): Promise<(output: string) => Float32Array> {
  const { width, height } = region;
  const values = new Float32Array(3 * width * height);
  inputFiller({ ...input, width, height })(region, values, 0);
  const dims = input.layout === 'NCHW' ? [1, 3, height, width] : [1, height, width, 3];
  const feeds = { [session.inputNames[0]!]: new Tensor('float32', values, dims) };
  const fail = (why: string, cause?: unknown): never => {
    if (cause instanceof MagfaceError) throw cause;
    throw new ModelError(
      'model_run_failed',
      name,
      {
        expected: `${name} to detect faces`,
        problem: `it failed (${why})`,
        remedy: 'check the model file, or use another detector',
      },
      { cause },
    );
  };
  const outputs = await session
    .run(feeds, session.outputNames)
    .catch((cause: unknown) => fail(firstLine(cause), cause));
  return (output) => {
    const values = outputs[output]?.data;
    return values instanceof Float32Array ? values : fail(`it has no float32 output named ${output}`);
  };
}

/** A face at a tile's edge is cut off, unless the image ends there: a neighbouring tile or a coarser region sees all of it. */
function isWhole({ box }: DetectedFace, region: Region, image: ImageSize): boolean {
  const [right, bottom] = [region.x + region.width / region.scale, region.y + region.height / region.scale];
  return (
    (box.x >= region.x || region.x <= 0) &&
    (box.y >= region.y || region.y <= 0) &&
    (box.x + box.width <= right || right >= image.width) &&
    (box.y + box.height <= bottom || bottom >= image.height)
  );
}

export interface MergeOptions {
  /** Boxes with at least this intersection over union are one face. @default 0.3 */
  readonly overlap?: number;
  /** So are boxes if this share of the smaller lies in the larger, such as a chin or a cheek detected as a face. @default 0.45 */
  readonly nested?: number;
  /** Use the mean weighted by score instead of the best: steadier if neighbours vote, as in BlazeFace. @default false */
  readonly blend?: boolean;
}

/**
 * Non-maximum suppression: merges the boxes that a detector's scales and tiles give for one face.
 *
 * @returns faces by descending score, without duplicates or empty boxes
 */
export function mergeFaces(faces: readonly DetectedFace[], options: MergeOptions = {}): DetectedFace[] {
  const { blend = false } = options;
  const groups = grouped(
    faces.toSorted((a, b) => b.detection - a.detection),
    options,
  );
  return groups.map(([best, ...others]) =>
    blend ? blended([best, ...others.filter(({ box }) => iou(best.box, box) >= 0.6)]) : best,
  );
}

/** @returns the faces in the order given, without duplicates of earlier ones */
export function withoutDoubles(faces: readonly DetectedFace[], options: MergeOptions = {}): DetectedFace[] {
  return grouped(faces, options).map(([first]) => first);
}

type Group = [first: DetectedFace, ...doubles: DetectedFace[]];

/** Each distinct face with its duplicates. */
function grouped(faces: readonly DetectedFace[], { overlap = 0.3, nested = 0.45 }: MergeOptions): Group[] {
  const isSame = (one: Box, other: Box): boolean => {
    const shared = intersection(one, other);
    const [a, b] = [area(one), area(other)];
    return shared >= overlap * (a + b - shared) || shared >= nested * Math.min(a, b);
  };
  const groups: Group[] = [];
  for (const face of faces) {
    if (!(face.box.width > 0 && face.box.height > 0)) continue;
    const group = groups.find(([first]) => isSame(first.box, face.box));
    if (group === undefined) groups.push([face]);
    else group.push(face);
  }
  return groups;
}

/** @returns intersection over union, 0 to 1 */
export function iou(a: Box, b: Box): number {
  const shared = intersection(a, b);
  return shared === 0 ? 0 : shared / (area(a) + area(b) - shared);
}

function intersection(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return Math.max(0, width) * Math.max(0, height);
}

const area = ({ width, height }: Box): number => width * height;

/** @returns the mean of faces weighted by score, with the first one's score */
export function blended(faces: readonly DetectedFace[]): DetectedFace {
  const total = faces.reduce((sum, { detection }) => sum + detection, 0);
  if (total === 0) return faces[0]!; // all weights are zero
  const mean = (value: (face: DetectedFace) => number): number =>
    faces.reduce((sum, face) => sum + face.detection * value(face), 0) / total;
  const landmarks = faces[0]!.landmarks.map(
    (_, i): Point => [mean((face) => face.landmarks[i]![0]), mean((face) => face.landmarks[i]![1])],
  ) as unknown as Landmarks;
  const box = {
    x: mean((face) => face.box.x),
    y: mean((face) => face.box.y),
    width: mean((face) => face.box.width),
    height: mean((face) => face.box.height),
  };
  return { ...faces[0]!, box, landmarks };
}

/** Degrees clockwise. */
type QuarterTurn = 0 | 90 | 180 | 270;

/** @returns the image turned clockwise; the same one for 0 */
function turned(image: Pixels, turn: QuarterTurn): Pixels {
  if (turn === 0) return image;
  const { width, height, data } = image;
  const result = turn === 180 ? blankPixels(width, height) : blankPixels(height, width);
  for (let y = 0; y < result.height; y++) {
    for (let x = 0; x < result.width; x++) {
      const [sourceX, sourceY] = before([x, y], turn, image);
      const [to, from] = [3 * (y * result.width + x), 3 * (sourceY * width + sourceX)];
      result.data[to] = data[from]!;
      result.data[to + 1] = data[from + 1]!;
      result.data[to + 2] = data[from + 2]!;
    }
  }
  return result;
}

/**
 * @param face - found in the turned image
 * @param size - of the image before turning
 * @returns the face in that image; its landmarks keep their names, so that the left eye of an upright face stays the left one
 */
function turnedBack(face: DetectedFace, turn: QuarterTurn, size: ImageSize): DetectedFace {
  if (turn === 0) return face;
  const landmarks = face.landmarks.map((point) => before(point, turn, size)) as unknown as Landmarks;
  return { ...face, box: boxBefore(face.box, turn, size), landmarks };
}

/** Position of a turned image's pixel in the original; pixel centres are whole numbers. */
function before([x, y]: Point, turn: QuarterTurn, { width, height }: ImageSize): Point {
  switch (turn) {
    case 90:
      return [y, height - 1 - x];
    case 180:
      return [width - 1 - x, height - 1 - y];
    case 270:
      return [width - 1 - y, x];
    default:
      return [x, y];
  }
}

/** Edges lie half a pixel before pixel centres. */
function boxBefore({ x, y, width, height }: Box, turn: QuarterTurn, size: ImageSize): Box {
  const [a, b] = [before([x - 0.5, y - 0.5], turn, size), before([x + width - 0.5, y + height - 0.5], turn, size)];
  const [left, right] = [Math.min(a[0], b[0]) + 0.5, Math.max(a[0], b[0]) + 0.5];
  const [top, bottom] = [Math.min(a[1], b[1]) + 0.5, Math.max(a[1], b[1]) + 0.5];
  return { x: left, y: top, width: right - left, height: bottom - top };
}
