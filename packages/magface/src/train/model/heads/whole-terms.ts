/** The loss of a head where all class centers are in one process. */
import {
  crossEntropy,
  fromArray,
  invoke,
  matmul,
  noGrad,
  normalize,
  operator,
  scope,
  type Tensor,
} from '@magface/torch';
import type { LossOf } from '../head.ts';
import { expectShapes } from '../magface-loss.ts';
import type { HeadBatch, HeadFunction } from './head-function.ts';
import { normalDraws } from './normal-draws.ts';

/**
 * L = softmax or sigmoid cross-entropy + λ · mean g + penalty.
 *
 * @param seed - of random margins
 * @param labelSmoothing - ε of the softmax: see crossEntropy
 */
export function headTerms(head: HeadFunction, seed: number, labelSmoothing = 0): LossOf<Tensor> {
  return (features, centers, labels, { step, ...numbers }) => {
    expectShapes(features.shape, centers.shape, labels.shape);
    const magnitudes = features.norm(2, 1, { keepdim: true }); // (N, 1)
    const cosines = matmul(normalize(features, 1), normalize(centers, 0)); // (N, K)
    const own = labels.unsqueeze(1); // (N, 1)
    const count = features.size(0);
    const batch: HeadBatch = {
      ...numbers,
      cosines,
      own,
      isHere: undefined,
      plain: cosines.gather(1, own),
      magnitudes,
      classCount: () => centers.size(1),
      fromOwner: (values) => values.detach(),
      sumOverClasses: withoutGradient((values) => values.sumDim([1], { keepdim: true })),
      noise: () => fromArray(normalDraws(seed, step, count), [count, 1]).to({ device: features.device }),
    };
    const terms = head.terms(batch);
    const identity =
      head.over === 'sigmoid' ? binaries(terms.logits, own) : crossEntropy(terms.logits, labels, labelSmoothing);
    const { weight = 0, of } = head.regularizer ?? {};
    const regularizer = of === undefined ? identity.zerosLike() : of(magnitudes).mean();
    const pulled = of === undefined ? identity : identity.add(regularizer.mul(weight));
    const total = terms.penalty === undefined ? pulled : pulled.add(terms.penalty);
    const { margins, state } = terms;
    const shown = { magnitudes: terms.magnitudes ?? magnitudes, margins, ...(state && { state }) };
    return { total, identity, regularizer, cosines, labels, ...shown };
  };
}

const softplus = operator('aten::softplus');

/** mean_i [ log(1 + exp(−z_i,y_i)) + Σ_{j ≠ y_i} log(1 + exp(z_ij)) ], since log(1 + e^−z) = log(1 + e^z) − z */
function binaries(logits: Tensor, own: Tensor): Tensor {
  return invoke(softplus, [logits]).sumDim([1], { keepdim: true }).sub(logits.gather(1, own)).mean();
}

function withoutGradient(of: (values: Tensor) => Tensor): (values: Tensor) => Tensor {
  return (values) => {
    using all = scope();
    using _ = noGrad();
    return all.keep(of(values));
  };
}
