/**
 * Damage to an aligned face in steps from none (strength 0) to hardly a face (strength 1): for measuring what quality says
 * about it, and for training with it. Each is a pure function of face, strength and seed; strength 0 gives the same pixels.
 * JPEG needs a codec and so stands in `node/`.
 */
import type { Pixels } from '../pixels.ts';
import { randomStream } from '../random.ts';
import { blur } from './blur.ts';
import { cover } from './cover.ts';
import { downscale } from './downscale.ts';
import { addNoise, darken } from './light.ts';
import { turn } from './turn.ts';

/** A kind of damage. */
export interface Damage {
  /** What a strength means in the damage's own unit, for people: `σ 2.5 px`. */
  readonly describe: (strength: number) => string;
  /**
   * @param face - (S, S, 3) uint8 RGB, an aligned face; S is 112 for all recognisers here
   * @param strength - 0 to 1
   * @param seed - for what is left to chance: a pattern, a side, a direction
   * @returns a new face, or the same object where nothing changes
   */
  readonly apply: (face: Pixels, strength: number, seed: number) => Pixels;
}

/** What can be done with pixels alone. */
export type DamageKind = 'blur' | 'noise' | 'downscaling' | 'darkness' | 'occlusion' | 'rotation';

/** σ in pixels of a face whose eyes are 35 pixels apart. */
const sigma = (strength: number): number => 5 * strength;
/** σ in levels of 255. */
const deviation = (strength: number): number => 80 * strength;
/** Width of the face in pixels: 112, halved four times. */
const side = (strength: number): number => Math.round(112 / 2 ** (4 * strength));
/** Halvings of the light: six leave four levels. */
const stops = (strength: number): number => 6 * strength;
/** Of the area: three quarters leave a forehead or a chin. */
const share = (strength: number): number => 0.75 * strength;
/** Either way; recognisers trained on aligned faces are lost beyond. */
const degrees = (strength: number): number => 45 * strength;

export const damages: Readonly<Record<DamageKind, Damage>> = {
  blur: {
    describe: (strength) => `σ ${sigma(strength).toFixed(1)} px`,
    apply: (face, strength) => blur(face, sigma(strength)),
  },
  noise: {
    describe: (strength) => `σ ${deviation(strength).toFixed(0)} of 255`,
    apply: (face, strength, seed) => addNoise(face, deviation(strength), seed),
  },
  downscaling: {
    describe: (strength) => `${side(strength)} px wide`,
    apply: (face, strength) => downscale(face, side(strength)),
  },
  darkness: {
    describe: (strength) => `${stops(strength).toFixed(1)} stops`,
    apply: (face, strength) => darken(face, stops(strength)),
  },
  occlusion: {
    describe: (strength) => `${(100 * share(strength)).toFixed(0)} % covered`,
    apply: (face, strength, seed) => cover(face, share(strength), seed),
  },
  rotation: {
    describe: (strength) => `${degrees(strength).toFixed(0)}°`,
    apply: (face, strength, seed) => turn(face, degrees(strength) * (randomStream(seed)() < 0.5 ? -1 : 1)),
  },
};
