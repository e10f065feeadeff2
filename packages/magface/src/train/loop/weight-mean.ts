/**
 * Averages a network's weights over the last steps of a run, or over all steps with exponentially falling shares. The last batches
 * pull them in different directions; their mean lies in the middle, and ranks heavily damaged faces better than any one of them. The
 * initial weights can have a share in the result too: on the line between both, a model keeps much of what it knew and most of what
 * it learned.
 *
 * @see Izmailov et al., Averaging Weights Leads to Wider Optima and Better Generalization, 2018
 * @see Wortsman et al., Robust Fine-Tuning of Zero-Shot Models, 2022
 */
import { noGrad, scope, type Tensor } from '@magface/torch';

export interface WeightMeanOptions {
  /** Share of the mean that stays at each step, from 0 to 1. @default all steps count alike */
  readonly decay?: number | undefined;
  /** Share in the result of the weights as they are at first, 0 to 1. @default 0 */
  readonly startShare?: number | undefined;
}

export class WeightMean {
  /** The averaged weights, by name. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** The means, by the same names; initially zeros. */
  readonly means: ReadonlyMap<string, Tensor>;
  /** Number of steps averaged. */
  count = 0;
  readonly #decay: number | undefined;
  readonly #startShare: number;
  /** Copies of the initial weights, if they have a share. */
  readonly #start: ReadonlyMap<string, Tensor>;

  constructor(weights: ReadonlyMap<string, Tensor>, { decay, startShare = 0 }: WeightMeanOptions = {}) {
    this.#decay = decay;
    using all = scope();
    using _ = noGrad();
    this.weights = weights;
    this.means = new Map([...weights].map(([name, weight]) => [name, all.keep(weight.zerosLike())]));
    this.#startShare = startShare;
    const copied = startShare > 0 ? [...weights] : [];
    this.#start = new Map(copied.map(([name, weight]) => [name, all.keep(weight.clone())]));
  }

  /** Adds the current weights to the mean. */
  add(): void {
    using _ = noGrad();
    this.count++;
    // The first steps count alike: a moving mean that begins with zeros would keep a part of them.
    const steps = this.#decay === undefined ? this.count : Math.min(this.count, 1 / (1 - this.#decay));
    for (const [name, mean] of this.means) {
      using _scope = scope(); // one for each tensor: all differences at once would take as much memory as the network
      mean.copy_(mean.add(this.weights.get(name)!.sub(mean).div(steps)));
    }
  }

  /**
   * Runs the body with the result in place of the weights: their means, if any, with the share of the initial weights. The
   * enclosing scope owns what the body returns.
   */
  during<T>(body: () => T): T {
    if (this.count === 0 && this.#startShare === 0) return body();
    using _ = noGrad();
    const weights = [...this.weights.values()];
    const before = weights.map((weight) => weight.clone());
    const put = (values: readonly Tensor[]): void => {
      for (const [i, weight] of weights.entries()) weight.copy_(values[i]!);
    };
    try {
      if (this.count > 0) put([...this.means.values()]);
      this.#mixInStart();
      return body();
    } finally {
      put(before);
      for (const tensor of before) tensor.dispose();
    }
  }

  #mixInStart(): void {
    using _scope = scope();
    for (const [name, start] of this.#start) {
      const weight = this.weights.get(name)!;
      weight.copy_(weight.add(start.sub(weight).mul(this.#startShare)));
    }
  }
}
