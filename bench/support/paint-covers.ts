/** Paints covers onto aligned faces: sunglasses, bars, hands, masks and caps, of many colours and textures. */
import { template } from '../../packages/magface/src/align.ts';
import type { Pixels } from '../../packages/magface/src/pixels.ts';

/** A generator of numbers in [0, 1). */
export type Random = () => number;
type Colour = (x: number, y: number) => readonly [number, number, number];
/** How much of a pixel is inside, 0 to 1. */
type Shape = (x: number, y: number) => number;

const size = 112;
const [leftEye, rightEye] = [template[0], template[1]];
const middle = 56;

export const between = (random: Random, low: number, high: number): number => low + (high - low) * random();
const clamp = (value: number): number => Math.max(0, Math.min(1, value));

/** A superellipse: power 2 is an ellipse, a high one a rectangle. */
function blob(cx: number, cy: number, halfWidth: number, halfHeight: number, angle = 0, power = 2): Shape {
  const [cos, sin, soft] = [Math.cos(angle), Math.sin(angle), Math.min(halfWidth, halfHeight)];
  return (x, y) => {
    const u = Math.abs((x - cx) * cos + (y - cy) * sin) / halfWidth;
    const v = Math.abs((y - cy) * cos - (x - cx) * sin) / halfHeight;
    if (u > 1.1 || v > 1.1) return 0;
    return clamp((1 - (u ** power + v ** power) ** (1 / power)) * soft + 0.5);
  };
}
const bar = (cx: number, cy: number, halfWidth: number, halfHeight: number, angle = 0): Shape =>
  blob(cx, cy, halfWidth, halfHeight, angle, 12);
const union =
  (...shapes: readonly Shape[]): Shape =>
  (x, y) =>
    Math.max(...shapes.map((shape) => shape(x, y)));

/** A flat dark or coloured cover, a gradient, or a piece of another picture. */
function material(random: Random, pool: readonly Pixels[]): Colour {
  const kind = Math.floor(5 * random());
  const colour = (): [number, number, number] => [255 * random(), 255 * random(), 255 * random()];
  if (kind === 0) {
    const grey = between(random, 0, 60);
    return () => [grey, grey, grey];
  }
  if (kind === 1) {
    const flat = colour();
    return () => flat;
  }
  if (kind === 2) {
    const [a, b, angle] = [colour(), colour(), between(random, 0, 2 * Math.PI)];
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    return (x, y) => {
      const t = clamp(((x - middle) * cos + (y - middle) * sin) / 80 + 0.5);
      return [0, 1, 2].map((i) => a[i]! * (1 - t) + b[i]! * t) as [number, number, number];
    };
  }
  const { data } = pool[Math.floor(pool.length * random())]!;
  const [zoom, dx, dy, swap] = [between(random, 0.2, 1), 112 * random(), 112 * random(), random() < 0.5];
  const flatness = kind === 4 ? 0.5 : 1;
  return (x, y) => {
    const [u, v] = swap ? [y, x] : [x, y];
    const at = 3 * ((Math.floor(v * zoom + dy) % size) * size + (Math.floor(u * zoom + dx) % size));
    return [0, 1, 2].map((i) => 128 + flatness * (data[at + i]! - 128)) as [number, number, number];
  };
}

function paint(face: Pixels, shape: Shape, colour: Colour, opacity = 1): Pixels {
  const data = Uint8ClampedArray.from(face.data);
  for (let y = 0; y < size; y++)
    for (let x = 0; x < size; x++) {
      const share = opacity * shape(x, y);
      if (share === 0) continue;
      const [at, over] = [3 * (y * size + x), colour(x, y)];
      for (let i = 0; i < 3; i++) data[at + i] = data[at + i]! * (1 - share) + over[i]! * share;
    }
  return { ...face, data };
}

const grey = (value: number): Colour => {
  const flat = [value, value, value] as const;
  return () => flat;
};

function sunglasses(face: Pixels, random: Random, pool: readonly Pixels[]): Pixels {
  const u = (low: number, high: number): number => between(random, low, high);
  const [dx, dy, halfWidth, halfHeight, power, angle] = [
    u(-2, 2),
    u(-3, 7),
    u(9, 15),
    u(6.5, 12),
    u(2, 4),
    u(-0.1, 0.1),
  ];
  const lens = (at: number, out: number): Shape =>
    blob(at + dx + out, leftEye[1] + dy, halfWidth, halfHeight, out < 0 ? angle : -angle, power);
  const frame = leftEye[1] + dy - u(2, 6);
  const lenses = union(lens(leftEye[0], -u(0, 2)), lens(rightEye[0], u(0, 2)));
  const whole = union(
    lenses,
    random() < 0.8 ? bar(middle + dx, frame, 8, u(0.7, 2)) : () => 0,
    random() < 0.5 ? bar(middle + dx - 36, frame, 12, u(0.6, 2)) : () => 0,
    random() < 0.5 ? bar(middle + dx + 36, frame, 12, u(0.6, 2)) : () => 0,
  );
  const [dark, slope, tint] = [u(0, 80), u(-0.8, 1.2), [u(0.5, 1), u(0.5, 1), u(0.5, 1)]];
  const glass: Colour = (_, y) => {
    const value = Math.max(0, dark * (1 + (slope * (y - 52)) / 15));
    return [value * tint[0]!, value * tint[1]!, value * tint[2]!];
  };
  const mirror = material(random, pool);
  const mirrored: Colour = (x, y) => mirror(x, y).map((value) => value / 2) as [number, number, number];
  let painted = paint(face, whole, random() < 0.3 ? mirrored : glass, u(0.78, 1));
  for (const eye of [leftEye, rightEye]) {
    if (random() > 0.35) continue;
    const spot = blob(eye[0] + u(-5, 5), eye[1] + u(-4, 3), u(1.5, 5), u(1, 3), u(-1, 1));
    painted = paint(painted, (x, y) => Math.min(spot(x, y), lenses(x, y)), grey(u(120, 255)), u(0.3, 0.9));
  }
  return painted;
}

export function coverEyes(face: Pixels, random: Random, pool: readonly Pixels[]): Pixels {
  const u = (low: number, high: number): number => between(random, low, high);
  const kind = random();
  if (kind < 0.5) return sunglasses(face, random, pool);
  const shape =
    kind < 0.8
      ? bar(middle + u(-6, 6), 51.6 + u(-4, 5), u(30, 70), u(6, 14), u(-0.2, 0.2))
      : blob(middle + u(-8, 8), 48 + u(-6, 4), u(28, 50), u(11, 20), u(-0.4, 0.4), u(2, 5));
  return paint(face, shape, material(random, pool));
}

export function coverMouth(face: Pixels, random: Random, pool: readonly Pixels[]): Pixels {
  const u = (low: number, high: number): number => between(random, low, high);
  const kind = random();
  const [top, cx, bow, width] = [u(66, 82), middle + u(-3, 3), u(-2, 6) / u(22, 40) ** 2, u(38, 46)];
  const mask: Shape = (x, y) => clamp(Math.min(y - top - bow * (x - cx) ** 2, width - Math.abs(x - cx)) + 0.5);
  const shape =
    kind < 0.45
      ? mask
      : kind < 0.75
        ? bar(middle + u(-5, 5), 90 + u(-4, 10), u(20, 60), u(10, 24), u(-0.3, 0.3))
        : blob(middle + u(-8, 8), 92 + u(-4, 8), u(18, 35), u(11, 22), u(-0.7, 0.7), u(2, 5));
  return paint(face, shape, material(random, pool));
}

/** A cap: often with a brim, and a shadow below it. */
export function coverBrow(face: Pixels, random: Random, pool: readonly Pixels[]): Pixels {
  const u = (low: number, high: number): number => between(random, low, high);
  const [edge, bow, slant, depth, shade, brim] = [
    u(32, 46),
    u(-0.004, 0.006),
    u(-0.12, 0.12),
    u(6, 22),
    u(0.15, 0.75),
    u(2, 8),
  ];
  const below: Shape = (x, y) => y - edge + bow * (x - middle) ** 2 - slant * (x - middle);
  let painted = face;
  if (random() < 0.7) {
    const shadow: Shape = (x, y) => (below(x, y) < 0 ? 0 : clamp(1 - below(x, y) / depth));
    painted = paint(painted, shadow, grey(0), shade);
  }
  painted = paint(painted, (x, y) => clamp(0.5 - below(x, y)), material(random, pool));
  if (random() > 0.6) return painted;
  const band: Shape = (x, y) => clamp(Math.min(0.5 - below(x, y), below(x, y) + brim));
  return paint(painted, band, grey(u(0, 120)), u(0.7, 1));
}

/** Something at the face's side, which covers nothing of it. */
export function coverNothing(face: Pixels, random: Random, pool: readonly Pixels[]): Pixels {
  const u = (low: number, high: number): number => between(random, low, high);
  const side = random() < 0.5 ? -1 : 1;
  return paint(
    face,
    bar(middle + side * u(45, 60), u(20, 100), u(5, 12), u(8, 30), u(-0.5, 0.5)),
    material(random, pool),
  );
}
