/**
 * Renders a training face as it is, mirrored, or damaged. A network must see bad faces to recognise them, and clean photos
 * of celebrities have few. The kind and strength of damage are pure functions of (seed, sample, view).
 */
import type { Augmentation } from '../data/augment.ts';
import { type AppliedDamage, type DamageDraw, damagesOf } from '../data/draw-damages.ts';
import { hash } from '../data/sample-order.ts';
import { cleanViews } from './finetune-settings.ts';

export interface AugmentationOptions extends DamageDraw {
  readonly seed: number;
}

/** @param view - from 0; see {@link cleanViews} */
export function augmentationOf(sample: number, view: number, options: AugmentationOptions): Augmentation {
  if (view < cleanViews) return { flipped: view === 1, damages: [] };
  const bits = (purpose: number): number => hash(options.seed, sample, view, purpose);
  return { flipped: bits(7) < 2 ** 31, damages: damagesOf(bits, options) };
}

/** Total strength of a face's damage; 0 for none. */
export interface DamageSum {
  readonly all: number;
  /** The part of `all` that is darkness. */
  readonly darkness: number;
}

export function damageSum({ damages }: Augmentation): DamageSum {
  const sum = (steps: readonly AppliedDamage[]): number => steps.reduce((total, { strength }) => total + strength, 0);
  return { all: sum(damages), darkness: sum(damages.filter(({ kind }) => kind === 'darkness')) };
}
