/** The optimizers of `--optimizer`, and the names of what they keep in checkpoints. */
import { AdamW, type Optimizer, Sgd, type Tensor } from '@magface/torch';

export type OptimizerName = 'sgd' | 'adamw';

/** @param kept - what an optimizer of that name kept for these parameters @default zeros */
export function createOptimizer(
  name: OptimizerName,
  parameters: readonly Tensor[],
  kept?: readonly (readonly Tensor[])[],
): Optimizer {
  return name === 'adamw' ? new AdamW(parameters, kept) : new Sgd(parameters, kept?.[0]);
}

/** Weights whose decay is the same. */
export interface DecayGroup {
  readonly decays: boolean;
  readonly weights: ReadonlyMap<string, Tensor>;
}

/**
 * Parts weights as timm's `filter_bias_and_bn` does: biases and vectors (scales and shifts of normalisation, slopes) do not
 * decay. A slope of shape (C, 1, 1) is a vector.
 *
 * @returns the groups that are not empty
 * @see timm.optim.param_groups_weight_decay
 */
export function decayGroups(weights: ReadonlyMap<string, Tensor>): DecayGroup[] {
  const groups = [true, false].map((decays) => ({
    decays,
    weights: new Map([...weights].filter(([name, { shape }]) => isDecayed(name, shape) === decays)),
  }));
  return groups.filter(({ weights }) => weights.size > 0);
}

const isDecayed = (name: string, shape: readonly number[]): boolean =>
  !name.endsWith('.bias') && shape.findLastIndex((size) => size > 1) > 0;

/** Before a parameter's name: SGD's velocity or AdamW's mean of the gradients, and AdamW's mean of their squares. */
export const keptPrefixes = ['optimizer.', 'squares.'] as const;

/** What an optimizer keeps for one of its parameters, by names in checkpoints. */
export const keptNamed = (name: string, { kept }: Pick<Optimizer, 'kept'>, index: number): [string, Tensor][] =>
  kept.map((tensors, kind) => [`${keptPrefixes[kind]}${name}`, tensors[index]!]);
