/** Functions named as in PyTorch's `functional`. */
import type { Tensor } from './tensor.ts';

/** Matrix product: (N, M) x (M, K) -> (N, K). Other shapes as in PyTorch. */
export function matmul(a: Tensor, b: Tensor): Tensor {
  return a.matmul(b);
}

/** Element by element: `a` where the condition holds, else `b`. */
export function where(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  return condition.where(a, b);
}

/** Divides by the L2 norm along a dimension, with the norm clamped to at least 1e-12. */
export function normalize(x: Tensor, dimension: number): Tensor {
  return x.div(x.norm(2, dimension, { keepdim: true }).clamp({ min: 1e-12 }));
}

/**
 * Cross-entropy: the batch mean of −log softmax(logits)[label]; with smoothing ε, the label has the probability 1 − ε + ε / K
 * and every other class ε / K.
 *
 * @param logits - (N, K) float32
 * @param labels - (N) int64
 * @param labelSmoothing - ε
 */
export function crossEntropy(logits: Tensor, labels: Tensor, labelSmoothing = 0): Tensor {
  return labelSmoothing === 0 ? logits.crossEntropyLoss(labels) : logits.crossEntropyLoss(labels, { labelSmoothing });
}
