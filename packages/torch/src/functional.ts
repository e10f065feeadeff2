/** Formulas made of operators, named as in PyTorch's `functional`. */
import type { Tensor } from './tensor.ts';

/** (N, M) x (M, K) to (N, K), and as PyTorch's for other shapes. */
export function matmul(a: Tensor, b: Tensor): Tensor {
  return a.matmul(b);
}

/** `a` where the condition holds, else `b`. */
export function where(condition: Tensor, a: Tensor, b: Tensor): Tensor {
  return condition.where(a, b);
}

/** Divides by the L2 norm along a dimension, held above 1e-12. */
export function normalize(x: Tensor, dimension: number): Tensor {
  return x.div(x.norm(2, dimension, { keepdim: true }).clamp({ min: 1e-12 }));
}

/**
 * Mean over the batch of −log softmax(logits)[label].
 *
 * @param logits - (N, K) float32
 * @param labels - (N) int64
 */
export function crossEntropy(logits: Tensor, labels: Tensor): Tensor {
  return logits.crossEntropyLoss(labels);
}
