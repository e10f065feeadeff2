/**
 * Renders a training face as it is, mirrored, or damaged. A network must see bad faces to recognise them, and clean photos
 * of celebrities have few. The kind and strength of damage are pure functions of (seed, sample, view).
 */
import type { Augmentation } from '../data/augment.ts';
import { type AppliedDamage, usualKinds } from '../data/draw-damages.ts';
import { hash } from '../data/sample-order.ts';
import { cleanViews } from './finetune-settings.ts';

export interface AugmentationOptions {
  readonly seed: number;
  /** Maximum strength of damage, 0 to 1; strengths are uniform up to it. */
  readonly strength: number;
  /** @default those that measure robustness */
  readonly kinds?: readonly AppliedDamage['kind'][] | undefined;
}

/** Share of damaged views with a second, weaker damage, since bad photos usually have several defects. */
const secondShare = 0.3;

/** @param view - from 0; see {@link cleanViews} */
export function augmentationOf(sample: number, view: number, options: AugmentationOptions): Augmentation {
  if (view < cleanViews) return { flipped: view === 1, damages: [] };
  const { seed, strength, kinds = usualKinds } = options;
  const bits = (purpose: number): number => hash(seed, sample, view, purpose);
  const share = (purpose: number): number => bits(purpose) / 2 ** 32;
  const step = (purpose: number, greatest: number): AppliedDamage => ({
    kind: kinds[bits(purpose) % kinds.length]!,
    strength: greatest * share(purpose + 1),
    seed: bits(purpose + 2),
  });
  const first = step(0, strength);
  const second = share(3) < secondShare ? [step(4, strength / 2)] : [];
  return { flipped: share(7) < 0.5, damages: [first, ...second] };
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
