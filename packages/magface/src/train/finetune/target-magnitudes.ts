/** Target magnitudes: where recognisability puts a face within [l_a, u_a]. */
import type { MagFaceConstants } from '../model/magface-loss.ts';
import type { DamageSum } from './augmentations.ts';

/**
 * Recognisability lost per unit of damage strength, in units of cosine. Some damage, such as slight darkness, leaves the
 * cosine unchanged or raises it by chance, but still counts as damage.
 */
const damageCost = 0.2;

/**
 * Share of [l_a, u_a] reserved for darkness: a face without darkness has its target above it, a black one below. All black
 * pictures look alike, so their magnitude must be the lowest, or it would rise again as darkness grows.
 */
const darkRoom = 0.15;

/**
 * Computes t: recognisability minus the cost of damage, mapped linearly from its 2 % and 98 % quantiles to [l_a, u_a] above
 * `darkRoom`. Values beyond are clamped: measured, mapping the whole range worsened the order of degrees of damage. If all
 * values are equal, as with one undamaged face per person, all targets are halfway, since nothing ranks the faces.
 *
 * @param own - cosines to the own person's mean, for every face and view
 * @param damage - the damage of each
 */
export function targetMagnitudes(
  own: Float32Array,
  damage: readonly DamageSum[],
  { lowerMagnitude, upperMagnitude }: Pick<MagFaceConstants, 'lowerMagnitude' | 'upperMagnitude'>,
): Float32Array {
  const worth = own.map((cosine, i) => cosine - damageCost * damage[i]!.all);
  const sorted = Float32Array.from(worth).sort();
  const [low, high] = [0.02, 0.98].map((share) => sorted[Math.floor(share * sorted.length)]!) as [number, number];
  const along = (value: number): number =>
    high > low ? (value - low) / (high - low) : (1 + Math.sign(value - low)) / 2;
  return worth.map((value, i) => {
    const share = Math.min(1, Math.max(0, along(value)));
    const light = 1 - Math.min(1, damage[i]!.darkness);
    return lowerMagnitude + (upperMagnitude - lowerMagnitude) * ((1 - darkRoom) * share + darkRoom * light);
  });
}
