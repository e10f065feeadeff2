/**
 * The mean of a network's weights over the last steps of a run. The last batches pull them this way and that; their mean lies
 * in the middle, and orders faces of much damage better than any one of them.
 *
 * @see Izmailov et al., Averaging Weights Leads to Wider Optima and Better Generalization, 2018
 */
import { noGrad, scope, type Tensor } from '@magface/torch';

export class WeightMean {
  /** What is averaged, by name. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** By the same names; zeros before the first. */
  readonly means: ReadonlyMap<string, Tensor>;
  /** Steps taken in. */
  count = 0;

  constructor(weights: ReadonlyMap<string, Tensor>) {
    using all = scope();
    using _ = noGrad();
    this.weights = weights;
    this.means = new Map([...weights].map(([name, weight]) => [name, all.keep(weight.zerosLike())]));
  }

  /** Takes the weights in as they are now. */
  add(): void {
    using _scope = scope();
    using _ = noGrad();
    this.count++;
    for (const [name, mean] of this.means) {
      mean.copy_(mean.add(this.weights.get(name)!.sub(mean).div(this.count)));
    }
  }

  /** Gives the weights their means, if there are any. */
  apply(): void {
    using _ = noGrad();
    if (this.count === 0) return;
    for (const [name, weight] of this.weights) weight.copy_(this.means.get(name)!);
  }
}
