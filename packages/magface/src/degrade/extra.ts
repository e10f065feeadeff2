/** Changes for training that are no measure of robustness: colours, another crop, a mask. */
import { warp } from '../align.ts';
import type { Pixels } from '../pixels.ts';
import { randomStream } from '../random.ts';
import type { Damage } from './damage.ts';

/** Kinds that only training applies. */
export type ExtraKind = 'colour' | 'crop' | 'mask';

/** Pixels of 112 by which the crop moves, and share by which it grows or shrinks. */
const shift = (strength: number): number => 12 * strength;
const zoom = (strength: number): number => 0.2 * strength;
/** Greatest change of each channel's gain, and of the saturation. */
const gain = (strength: number): number => 0.4 * strength;
/** Row of 112 from which a mask covers the face: from the chin, 108, to the bridge of the nose, 60. */
const maskTop = (strength: number): number => 108 - 48 * strength;

export const extraDamages: Readonly<Record<ExtraKind, Damage>> = {
  colour: {
    describe: (strength) => `±${(100 * gain(strength)).toFixed(0)} %`,
    apply: (face, strength, seed) => (strength === 0 ? face : recoloured(face, gain(strength), seed)),
  },
  crop: {
    describe: (strength) => `±${shift(strength).toFixed(0)} px, ±${(100 * zoom(strength)).toFixed(0)} %`,
    apply: (face, strength, seed) => (strength === 0 ? face : moved(face, strength, seed)),
  },
  mask: {
    describe: (strength) => (strength === 0 ? 'none' : `from row ${maskTop(strength).toFixed(0)} of 112`),
    apply: (face, strength, seed) => (strength === 0 ? face : masked(face, maskTop(strength) / 112, seed)),
  },
};

/** Changes the light's colour by a gain for each channel, then the saturation around the luma (Rec. 601). */
function recoloured(face: Pixels, range: number, seed: number): Pixels {
  const random = randomStream(seed);
  const change = (): number => 1 + range * (2 * random() - 1);
  const gains = [change(), change(), change()] as const;
  const saturation = change();
  const data = new Uint8Array(face.data.length);
  for (let at = 0; at < data.length; at += 3) {
    const [r, g, b] = gains.map((channel, c) => channel * face.data[at + c]!) as [number, number, number];
    const luma = 0.299 * r + 0.587 * g + 0.114 * b;
    for (const [c, value] of [r, g, b].entries())
      data[at + c] = Math.min(255, Math.max(0, Math.round(luma + saturation * (value - luma))));
  }
  return { ...face, data };
}

/** Shifts and scales the face; pixels from outside are black. */
function moved(face: Pixels, strength: number, seed: number): Pixels {
  const random = randomStream(seed);
  const signed = (range: number): number => range * (2 * random() - 1);
  const unit = face.width / 112;
  const scale = 1 + signed(zoom(strength));
  const middle = (face.width - 1) / 2;
  const [dx, dy] = [signed(shift(strength)) * unit, signed(shift(strength)) * unit];
  const matrix = [
    [scale, 0, middle - scale * middle + dx],
    [0, scale, middle - scale * middle + dy],
  ] as const;
  return warp(face, matrix, face.width);
}

/** Covers nose, mouth and chin with a cloth of one colour, wider at the top and round at the bottom. */
function masked(face: Pixels, top: number, seed: number): Pixels {
  const random = randomStream(seed);
  const colour = [0, 1, 2].map(() => Math.floor(256 * random()));
  const { width, height } = face;
  const data = Uint8Array.from(face.data);
  for (let y = Math.round(top * height); y < height; y++) {
    const down = (y / height - top) / Math.max(1e-6, 1 - top); // 0 at the top edge
    const half = 0.42 * width * Math.sqrt(1 - 0.6 * down * down);
    for (let x = Math.ceil((width - 1) / 2 - half); x <= (width - 1) / 2 + half; x++)
      for (let c = 0; c < 3; c++) data[3 * (y * width + x) + c] = colour[c]!;
  }
  return { ...face, data };
}
