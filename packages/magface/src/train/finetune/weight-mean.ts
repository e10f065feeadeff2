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

  /** The body sees the means in place of the weights, if there are any. What it makes is of the scope around. */
  during<T>(body: () => T): T {
    if (this.count === 0) return body();
    using _ = noGrad();
    const weights = [...this.weights.values()];
    const before = weights.map((weight) => weight.clone());
    const put = (values: readonly Tensor[]): void => {
      for (const [i, weight] of weights.entries()) weight.copy_(values[i]!);
    };
    try {
      put([...this.means.values()]);
      return body();
    } finally {
      put(before);
      for (const tensor of before) tensor.dispose();
    }
  }
}
