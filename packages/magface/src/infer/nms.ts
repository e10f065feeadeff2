/** Non-maximum suppression: merges the boxes that a detector's scales and tiles give for one face. */
import type { Box, DetectedFace, Landmarks, Point } from '../face.ts';

export interface MergeOptions {
  /** Boxes with at least this intersection over union are one face. @default 0.3 */
  readonly overlap?: number;
  /** So are boxes if this share of the smaller lies in the larger, such as a chin or a cheek detected as a face. @default 0.45 */
  readonly nested?: number;
  /** Use the mean weighted by score instead of the best: steadier if neighbours vote, as in BlazeFace. @default false */
  readonly blend?: boolean;
}

/** @returns faces by descending score, without duplicates or empty boxes */
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
