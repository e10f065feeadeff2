/**
 * Averages a network's weights over the last steps of a run, or over all steps with exponentially falling shares. The last batches pull them in different directions; their mean
 * lies in the middle, and ranks heavily damaged faces better than any one of them.
 *
 * @see Izmailov et al., Averaging Weights Leads to Wider Optima and Better Generalization, 2018
 */
import { noGrad, scope, type Tensor } from '@magface/torch';

export class WeightMean {
  /** The averaged weights, by name. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** The means, by the same names; initially zeros. */
  readonly means: ReadonlyMap<string, Tensor>;
  /** Number of steps averaged. */
  count = 0;
  readonly #decay: number | undefined;

  /** @param decay - share of the mean that stays at each step, from 0 to 1. @default all steps count alike */
  constructor(weights: ReadonlyMap<string, Tensor>, decay?: number) {
    this.#decay = decay;
    using all = scope();
    using _ = noGrad();
    this.weights = weights;
    this.means = new Map([...weights].map(([name, weight]) => [name, all.keep(weight.zerosLike())]));
  }

  /** Adds the current weights to the mean. */
  add(): void {
    using _scope = scope();
    using _ = noGrad();
    this.count++;
    // The first steps count alike: a moving mean that begins with zeros would keep a part of them.
    const steps = this.#decay === undefined ? this.count : Math.min(this.count, 1 / (1 - this.#decay));
    for (const [name, mean] of this.means) mean.copy_(mean.add(this.weights.get(name)!.sub(mean).div(steps)));
  }

  /** Runs the body with the means, if any, in place of the weights. The enclosing scope owns its results. */
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
