/**
 * MagFace for an already good model that must stay good, on faces that are partly damaged:
 *
 * L = L_MagFace(recognisable faces)
 *       + κ · mean_i [1 − cos(f_i, f⁰_i)]              f⁰: the starting model's feature of the same face, undamaged
 *       + ω · mean_i [(‖f_i‖ − t_i) / (u_a − l_a)]²    t_i: where the face's recognisability puts it within [l_a, u_a]
 *       + π · L_pair(recognisable faces)               triplet or contrastive, if asked for: model/pair-losses.ts
 *
 * The second term preserves the model's knowledge when there are few people, and pulls a damaged face to the features of the
 * undamaged one. It too uses recognisable faces only. The third trains the magnitude, which margins alone train slowly.
 */
import { fromArray, normalize, type Tensor } from '@magface/torch';
import type { BatchLoss, LossOf } from '../model/head.ts';
import { type MagFaceConstants, magfaceLoss } from '../model/magface-loss.ts';
import { contrastiveLoss, type PairLoss, pairMargins, tripletLoss } from '../model/pair-losses.ts';

export interface FinetuneWeights {
  /** κ. `--keep-weight` */
  readonly keep: number;
  /** ω. `--quality-weight` */
  readonly quality: number;
  /** `--pair-loss` with `--pair-weight` and `--pair-margin` @default none */
  readonly pairs?: PairTerm;
}

/** A loss over the pairs of a batch. */
export interface PairTerm {
  readonly loss: PairLoss;
  /** π */
  readonly weight: number;
  /** @default that of the paper */
  readonly margin?: number | undefined;
}

function pairTerm(features: Tensor, labels: Tensor, { loss, margin, weight }: PairTerm): Tensor {
  const of = loss === 'triplet' ? tripletLoss : contrastiveLoss;
  return of(features, labels, margin ?? pairMargins[loss]).mul(weight);
}

/** Targets of a batch, one row per face. */
export interface FinetuneTargets {
  /** (N) int64 */
  readonly labels: BigInt64Array;
  /** (N, D): f⁰, normalised. */
  readonly start: Float32Array;
  /** (N): t. */
  readonly magnitudes: Float32Array;
  /** Recognisable rows, at least one. */
  readonly recognisable: BigInt64Array;
}

export interface FinetuneLoss extends BatchLoss {
  /** Unweighted means, one value each. */
  readonly kept: Tensor;
  readonly quality: Tensor;
}

/** The three terms in the head's format. The terms with class centers use only the recognisable rows. */
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

    const single = total.add(kept.mul(weights.keep)).add(quality.mul(weights.quality));
    return {
      ...magface,
      total: weights.pairs === undefined ? single : single.add(pairTerm(known, labels, weights.pairs)),
      magnitudes,
      labels,
      rows: Array.from(targets.recognisable, Number),
      kept,
      quality,
    };
  };
