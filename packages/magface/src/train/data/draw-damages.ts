/** Draws the damage to a training face: a pure function of random bits. Needs no codec, so that most runs do not load one. */
import type { DamageKind } from '../../degrade/damage.ts';
import type { ExtraKind } from '../../degrade/extra.ts';

/** A kind of damage that training may apply. */
export type AugmentKind = DamageKind | ExtraKind | 'jpeg';

/** One damage to a face. */
export interface AppliedDamage {
  readonly kind: AugmentKind;
  /** 0 to 1. */
  readonly strength: number;
  /** Seed of the damage's randomness. */
  readonly seed: number;
}

/** The kinds that measure robustness: those used without `--degrade-kinds`. */
export const usualKinds: readonly AugmentKind[] = [
  'blur',
  'noise',
  'downscaling',
  'darkness',
  'occlusion',
  'rotation',
  'jpeg',
];

/** Share of damaged faces with a second, weaker damage, since bad photos usually have several defects. */
const secondShare = 0.3;

/** How the damage to training faces is drawn. */
export interface DamageDraw {
  /** Maximum strength, 0 to 1; strengths are uniform up to it. */
  readonly strength: number;
  /** @default those that measure robustness */
  readonly kinds?: readonly AugmentKind[] | undefined;
}

/** @param bits - 32 pseudorandom bits for each purpose, from 0 to 6 */
export function damagesOf(
  bits: (purpose: number) => number,
  { strength, kinds = usualKinds }: DamageDraw,
): AppliedDamage[] {
  const share = (purpose: number): number => bits(purpose) / 2 ** 32;
  const draw = (purpose: number, greatest: number): AppliedDamage => ({
    kind: kinds[bits(purpose) % kinds.length]!,
    strength: greatest * share(purpose + 1),
    seed: bits(purpose + 2),
  });
  return [draw(0, strength), ...(share(3) < secondShare ? [draw(4, strength / 2)] : [])];
}
