/**
 * MagFace for a model that is good already and shall stay so, over faces of which some are damaged:
 *
 *     L = L_MagFace(faces that can be recognised)
 *       + κ · mean_i [1 − cos(f_i, f⁰_i)]              f⁰: the starting model's feature of the same face, undamaged
 *       + ω · mean_i [(‖f_i‖ − t_i) / (u_a − l_a)]²    t_i: where the face's recognisability puts it within [l_a, u_a]
 *
 * The second term keeps what the model knows while few people are shown, and leads a damaged face to where the whole one
 * lies; it too is for faces that can be recognised. The third tells the length what MagFace alone finds from margins slowly.
 */
import { fromArray, normalize, type Tensor } from '@magface/torch';
import type { BatchLoss, LossOf } from '../model/head.ts';
import { type MagFaceConstants, magfaceLoss } from '../model/magface-loss.ts';
import type { DamageSum } from './views.ts';

export interface FinetuneWeights {
  /** κ. `--keep-weight` */
  readonly keep: number;
  /** ω. `--quality-weight` */
  readonly quality: number;
}

/** What a batch shall come to, one row a face. */
export interface FinetuneTargets {
  /** (N) int64 */
  readonly labels: BigInt64Array;
  /** (N, D): f⁰, of length one. */
  readonly start: Float32Array;
  /** (N): t. */
  readonly magnitudes: Float32Array;
  /** Rows that can be recognised, at least one. */
  readonly recognisable: BigInt64Array;
}

export interface FinetuneLoss extends BatchLoss {
  /** Means without their weights, one value each. */
  readonly kept: Tensor;
  readonly quality: Tensor;
}

/** The three terms as a head takes them. What concerns class centers is of the recognisable rows alone. */
export const finetuneTerms =
  (constants: MagFaceConstants, weights: FinetuneWeights): LossOf<FinetuneTargets> =>
  (features, centers, targets): FinetuneLoss => {
    const { device } = features;
    const rows = fromArray(targets.recognisable).to({ device });
    const known = features.indexSelect(0, rows); // (M, D)
    const labels = fromArray(targets.labels).to({ device }).indexSelect(0, rows);
    const { total, ...magface } = magfaceLoss(known, centers, labels, constants);

    const start = fromArray(targets.start, features.shape).to({ device }).indexSelect(0, rows);
    const kept = normalize(known, 1).mul(start).sumDim(1).neg().add(1).mean();

    const magnitudes = features.norm(2, 1); // (N)
    const wanted = fromArray(targets.magnitudes).to({ device });
    const range = constants.upperMagnitude - constants.lowerMagnitude;
    const quality = magnitudes.sub(wanted).div(range).square().mean();

    return {
      ...magface,
      total: total.add(kept.mul(weights.keep)).add(quality.mul(weights.quality)),
      magnitudes,
      labels,
      rows: Array.from(targets.recognisable, Number),
      kept,
      quality,
    };
  };

/**
 * What damage takes from a face's recognisability per unit of strength, in units of cosine: some damage, such as a little
 * darkness, leaves the cosine as it was or raises it by chance, and is damage all the same.
 */
const damageCost = 0.2;

/**
 * Share of [l_a, u_a] that is left to darkness alone: a face without it has its target above, a black one below. All black
 * pictures look alike, so that their one magnitude has to be the lowest of all, or else growing darkness lets it rise again.
 */
const darkRoom = 0.15;

/**
 * t: recognisability, less what damage takes, from its lowest to its highest 2 % onto [l_a, u_a] above the room for darkness,
 * in a straight line. What lies beyond is at the limit: with the whole range, measured, the order of degrees of damage became
 * worse. Where all are alike, as with one undamaged face a person, each is halfway: nothing tells which is better.
 *
 * @param own - cosines to the own person's mean, of every face in every view
 * @param damage - what was done to each
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
