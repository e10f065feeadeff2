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

/** Before a parameter's name: SGD's velocity or AdamW's mean of the gradients, and AdamW's mean of their squares. */
export const keptPrefixes = ['optimizer.', 'squares.'] as const;

/** What an optimizer keeps for one of its parameters, by names in checkpoints. */
export const keptNamed = (name: string, { kept }: Pick<Optimizer, 'kept'>, index: number): [string, Tensor][] =>
  kept.map((tensors, kind) => [`${keptPrefixes[kind]}${name}`, tensors[index]!]);
