/** Damages a photo around a face whose place is known, so that detection and alignment see the damage too. */
import { inverseOf, mapped, template } from '../../packages/magface/src/align.ts';
import { blur } from '../../packages/magface/src/degrade/blur.ts';
import { addNoise, darken } from '../../packages/magface/src/degrade/light.ts';
import type { AnalyzedFace } from '../../packages/magface/src/face.ts';
import { drawRegion } from '../../packages/magface/src/infer/scene.ts';
import { blankPixels, type Pixels } from '../../packages/magface/src/pixels.ts';
import { randomStream } from '../../packages/magface/src/random.ts';
import { coverBrow, coverEyes, coverMouth, type Random } from './paint-covers.ts';

type Place = Pick<AnalyzedFace, 'alignment' | 'box'>;

const size = 112;
/** Pixels of the photo per pixel of the crop. */
const scaleOf = ({ alignment: [[a], [d]] }: Place): number => 1 / Math.hypot(a, d);

function levels(photo: Pixels, map: (value: number) => number): Pixels {
  return { ...photo, data: Uint8ClampedArray.from(photo.data, map) };
}

function shrunk(photo: Pixels, scale: number): Pixels {
  const [width, height] = [
    Math.max(40, Math.round(photo.width * scale)),
    Math.max(40, Math.round(photo.height * scale)),
  ];
  return drawRegion(photo, { x: 0, y: 0, scale: width / photo.width, width, height });
}

/** Photo pixels take the colour that a changed crop has at their place. */
function onto(photo: Pixels, { alignment }: Place, change: (crop: Pixels) => Pixels): Pixels {
  const key = levels(blankPixels(size, size), () => 128);
  const marked = [0, 255].map((grey) => change(levels(key, () => grey))) as [Pixels, Pixels];
  const data = Uint8Array.from(photo.data);
  for (let y = 0; y < photo.height; y++)
    for (let x = 0; x < photo.width; x++) {
      const [u, v] = mapped(alignment, [x, y]).map(Math.round) as [number, number];
      if (u < 0 || v < 0 || u >= size || v >= size) continue;
      for (let i = 0; i < 3; i++) {
        const [low, high] = marked.map((one) => one.data[3 * (v * size + u) + i]!) as [number, number];
        // A cover is linear in what is below it: low for black, high for white.
        const at = 3 * (y * photo.width + x) + i;
        data[at] = Math.round(low + ((high - low) * photo.data[at]!) / 255);
      }
    }
  return { ...photo, data };
}

/** Paints by a seed, so that both calls of {@link onto} paint the same. */
const seeded =
  (cover: (crop: Pixels, random: Random, pool: readonly Pixels[]) => Pixels, seed: number) =>
  (crop: Pixels): Pixels =>
    cover(crop, randomStream(seed), [texture(seed)]);

/** A random texture of soft spots, instead of a piece of another picture. */
function texture(seed: number): Pixels {
  const grey = levels(blankPixels(size, size), () => 128);
  return blur(addNoise(grey, 90, seed), 2 + (seed % 4));
}

type Damage = (photo: Pixels, place: Place, strength: number, seed: number) => Pixels;

const damages: Readonly<Record<string, Damage>> = {
  blur: (photo, place, strength) => blur(photo, 4 * strength * scaleOf(place)),
  noise: (photo, _, strength, seed) => addNoise(photo, 70 * strength, seed),
  small: (photo, place, strength) => shrunk(photo, 2 ** (-3 * strength) / Math.max(1, scaleOf(place))),
  dark: (photo, _, strength) => darken(photo, 4.5 * strength),
  flat: (photo, _, strength) => levels(photo, (value) => 128 + (1 - 0.95 * strength) * (value - 128)),
  eyesCovered: (photo, place, _, seed) => onto(photo, place, seeded(coverEyes, seed)),
  mouthCovered: (photo, place, _, seed) => onto(photo, place, seeded(coverMouth, seed)),
  browCovered: (photo, place, _, seed) => onto(photo, place, seeded(coverBrow, seed)),
  cropped: (photo, place, strength, seed) => croppedAt(photo, place, 44 * strength, seed),
};

export const damageNames: readonly string[] = Object.keys(damages);

/** One kind and strength of damage, by the photo's number; without a face the photo stays as it is. */
export function damagePhoto(photo: Pixels, place: Place | undefined, number: number): Pixels {
  if (place === undefined) return photo;
  const name = damageNames[number % damageNames.length]!;
  return damages[name]!(photo, place, (number * 0.6180339887498949) % 1, number);
}

/** A black bar over both eyes. */
export function barOverEyes(photo: Pixels, place: Place | undefined): Pixels {
  if (place === undefined) return photo;
  const [left, right] = [template[0], template[1]];
  const data = Uint8Array.from(photo.data);
  for (let y = 0; y < photo.height; y++)
    for (let x = 0; x < photo.width; x++) {
      const [u, v] = mapped(place.alignment, [x, y]);
      if (u > left[0] - 14 && u < right[0] + 14 && Math.abs(v - left[1]) < 8)
        data.fill(0, 3 * (y * photo.width + x), 3 * (y * photo.width + x + 1));
    }
  return { ...photo, data };
}

/** Blurred by 4/264 of the face's larger side: σ 4 on a face of 264 pixels. */
export function blurred(photo: Pixels, place: Place | undefined): Pixels {
  return place === undefined ? photo : blur(photo, (4 / 264) * Math.max(place.box.width, place.box.height));
}

/** Cut at brows and chin, as a passport cut out too closely. */
export function tightlyCropped(photo: Pixels, place: Place | undefined): Pixels {
  if (place === undefined) return photo;
  return [0, 1, 2, 3].reduce((cut, side) => cutSide(cut.photo, cut.place, [40, 22, 6, 22][side]!, side), {
    photo,
    place,
  }).photo;
}

const croppedAt = (photo: Pixels, place: Place, depth: number, seed: number): Pixels =>
  cutSide(photo, place, depth, seed % 4).photo;

/** Cuts off what lies beyond a line of the crop, `depth` from its top, left, bottom or right. */
function cutSide(photo: Pixels, place: Place, depth: number, side: number): { photo: Pixels; place: Place } {
  const back = inverseOf(place.alignment);
  const at = mapped(
    back,
    [
      [56, depth],
      [depth, 66],
      [56, size - depth],
      [size - depth, 66],
    ][side]! as [number, number],
  );
  const [x, y] = at.map(Math.round) as [number, number];
  const box = { left: 0, top: 0, right: photo.width, bottom: photo.height };
  if (side === 0) box.top = Math.max(0, y);
  if (side === 1) box.left = Math.max(0, x);
  if (side === 2) box.bottom = Math.min(photo.height, y);
  if (side === 3) box.right = Math.min(photo.width, x);
  const cut = blankPixels(box.right - box.left, box.bottom - box.top);
  for (let row = 0; row < cut.height; row++) {
    const from = 3 * ((row + box.top) * photo.width + box.left);
    cut.data.set(photo.data.subarray(from, from + 3 * cut.width), 3 * row * cut.width);
  }
  const [[a, b, c], [d, e, f]] = place.alignment;
  const alignment = [
    [a, b, c + a * box.left + b * box.top],
    [d, e, f + d * box.left + e * box.top],
  ] as const;
  return { photo: cut, place: { ...place, alignment } };
}
