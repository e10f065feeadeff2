/** Augments a training face: unchanged, mirrored, moved or damaged. */
import { extraDamages } from '../../degrade/extra.ts';
import { type Movement, move } from '../../degrade/move.ts';
import { allDamages } from '../../degrade/node/jpeg.ts';
import { blankPixels, type Pixels } from '../../pixels.ts';
import type { AppliedDamage } from './draw-damages.ts';

/** The changes made to a face. */
export interface Augmentation {
  readonly flipped: boolean;
  /** How far the crop lies beside its place, before any damage. @default not at all */
  readonly moved?: Movement | undefined;
  /** Applied in this order. */
  readonly damages: readonly AppliedDamage[];
}

const kinds = { ...allDamages, ...extraDamages };

/** @param face - (112, 112, 3) uint8 RGB @returns a new face, unless nothing is changed */
export function augmented(face: Pixels, augmentation: Augmentation): Pixels {
  const whole = augmentation.flipped ? mirrored(face) : face;
  const shown = augmentation.moved === undefined ? whole : move(whole, augmentation.moved);
  return augmentation.damages.reduce((pixels, { kind, strength, seed }) => {
    return kinds[kind].apply(pixels, strength, seed);
  }, shown);
}

function mirrored({ data, width, height }: Pixels): Pixels {
  const turned = blankPixels(width, height);
  for (let pixel = 0; pixel < width * height; pixel++) {
    const source = pixel - 2 * (pixel % width) + width - 1;
    for (let channel = 0; channel < 3; channel++) turned.data[3 * pixel + channel] = data[3 * source + channel]!;
  }
  return turned;
}
