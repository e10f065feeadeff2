/** The views from which a length branch learns: each face as it is, cut beside its place, and damaged. */
import type { Movement } from '../../degrade/move.ts';
import type { Augmentation } from '../data/augment.ts';
import { hash } from '../data/sample-order.ts';
import { augmentationOf } from '../finetune/augmentations.ts';
import { cleanViews } from '../finetune/finetune-settings.ts';

export const lengthViews = 3;

/** Greatest movement: about twice the error of this package's own alignment. */
const farthest = { pixels: 3.5, degrees: 4, scale: 0.05 } as const;

/** @param view - 0 to 2 @returns a pure function of seed, sample and view */
export function lengthView(sample: number, view: number, seed: number): Augmentation {
  if (view === 0) return { flipped: false, damages: [] };
  if (view === 1) return { flipped: false, damages: [], moved: movement(sample, view, seed) };
  return augmentationOf(sample, cleanViews + view, { seed, strength: 1 });
}

function movement(sample: number, view: number, seed: number): Movement {
  const upTo = (most: number, purpose: number): number =>
    most * ((2 * hash(seed, sample, view, purpose)) / 2 ** 32 - 1);
  return {
    x: upTo(farthest.pixels, 20),
    y: upTo(farthest.pixels, 21),
    degrees: upTo(farthest.degrees, 22),
    scale: 1 + upTo(farthest.scale, 23),
  };
}
