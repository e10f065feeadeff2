/**
 * Degrades an aligned face, from not at all (strength 0) to barely recognizable (strength 1), to measure how quality
 * responds and to augment training. Each function is pure in face, strength and seed; strength 0 returns the same
 * pixels. JPEG needs a codec and is in `node/`.
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
  /** A strength in the damage's own unit, for people: `σ 2.5 px`. */
  readonly describe: (strength: number) => string;
  /**
   * @param face - (S, S, 3) uint8 RGB, an aligned face; S is 112 for all built-in recognisers
   * @param strength - 0 to 1
   * @param seed - determines random choices: a pattern, a side, a direction
   * @returns a new face, or the same object if nothing changes
   */
  readonly apply: (face: Pixels, strength: number, seed: number) => Pixels;
}

/** Kinds of damage that need only pixels. */
export type DamageKind = 'blur' | 'noise' | 'downscaling' | 'darkness' | 'occlusion' | 'rotation';

/** σ in pixels; the eyes are 35 pixels apart. */
const sigma = (strength: number): number => 5 * strength;
/** σ in grey levels of 255. */
const deviation = (strength: number): number => 80 * strength;
/** Width of the face in pixels: 112, halved four times. */
const side = (strength: number): number => Math.round(112 / 2 ** (4 * strength));
/** Halvings of the light. Six leave four grey levels. */
const stops = (strength: number): number => 6 * strength;
/** Covered share of the area. Three quarters leave a forehead or a chin. */
const share = (strength: number): number => 0.75 * strength;
/** Degrees in either direction. Recognisers trained on aligned faces fail beyond 45°. */
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
