/**
 * Losses over pairs of faces within a batch, without class centers: terms for finetuning. Each uses the features' directions,
 * û = f / ‖f‖.
 *
 * Both need several faces of a person in a batch. A batch without any gives 0.
 */
import { arange, matmul, normalize, type Tensor, where } from '@magface/torch';

/** A loss over pairs. */
export type PairLoss = 'triplet' | 'contrastive';

/** Margins of the papers. */
export const pairMargins: Readonly<Record<PairLoss, number>> = { triplet: 0.2, contrastive: 1 };

/**
 * Triplets of the hardest faces of the batch:
 *
 *     L = mean over anchors a of max(0, ‖û_a − û_p‖² − ‖û_a − û_n‖² + m)
 *
 * p is the farthest face of the same person, n the nearest of another. Only faces that have both are anchors.
 *
 * @param features - (N, D) float32, not normalized
 * @param labels - (N) int64
 * @returns one value
 * @see Schroff et al., FaceNet, arXiv 1503.03832; Hermans et al., In Defense of the Triplet Loss, arXiv 1703.07737
 */
export function tripletLoss(features: Tensor, labels: Tensor, margin: number = pairMargins.triplet): Tensor {
  const { distances, positive, negative } = pairsOf(features, labels);
  const far = where(positive, distances, distances.mul(0).sub(1)).amax({ dim: 1 }); // (N): -1 without a positive
  const near = where(negative, distances.neg(), distances.mul(0).sub(beyond)).amax({ dim: 1 }).neg(); // (N)
  const isAnchor = far.ge(0).logicalAnd(near.lt(beyond));
  const terms = far.sub(near).add(margin).relu();
  return meanWhere(terms, isAnchor);
}

/**
 * All pairs of the batch:
 *
 *     L = ½ (mean over pairs of one person of d² + mean over others of max(0, m − d)²),   d = ‖û_i − û_j‖
 *
 * @param features - (N, D) float32, not normalized
 * @param labels - (N) int64
 * @returns one value
 * @see Hadsell et al., Dimensionality Reduction by Learning an Invariant Mapping, CVPR 2006
 */
export function contrastiveLoss(features: Tensor, labels: Tensor, margin: number = pairMargins.contrastive): Tensor {
  const { distances, positive, negative } = pairsOf(features, labels);
  const d = distances.clamp({ min: leastSquare }).sqrt();
  const apart = d.neg().add(margin).relu().square();
  return meanWhere(distances, positive).add(meanWhere(apart, negative)).mul(0.5);
}

/** Farther than any pair: squared distances of directions are at most 4. */
const beyond = 8;

/** Below this, a squared distance counts as constant: the slope of sqrt is infinite at 0. */
const leastSquare = 1e-8;

/** (N, N): squared distances, and which pairs are of one person (without a face and itself) and of two. */
function pairsOf(features: Tensor, labels: Tensor): { distances: Tensor; positive: Tensor; negative: Tensor } {
  const unit = normalize(features, 1);
  const distances = matmul(unit, unit.t()).mul(-2).add(2).clamp({ min: 0 });
  const same = labels.unsqueeze(1).eq(labels.unsqueeze(0));
  const rows = arange(features.size(0), { device: features.device });
  const isItself = rows.unsqueeze(1).eq(rows.unsqueeze(0));
  return { distances, positive: same.logicalAnd(isItself.logicalNot()), negative: same.logicalNot() };
}

/** Mean of the values where a condition holds; 0 where it never does. */
function meanWhere(values: Tensor, condition: Tensor): Tensor {
  const chosen = condition.to({ dtype: values.dtype });
  return values
    .mul(chosen)
    .sum()
    .div(chosen.sum().clamp({ min: 1 }));
}
