/** A rank's trained tensors with one row per class, of which a step may train a sample. */
import { fromArray, noGrad, type Optimizer, type StepOptions, type Tensor } from '@magface/torch';
import { createOptimizer, type OptimizerName } from '../model/optimizer.ts';

/** Rows per class, beside tensors that all ranks have whole. All are trainable leaves. */
export interface RowParameters {
  /** Each (K_r, …). */
  readonly perClass: readonly Tensor[];
  readonly shared: readonly Tensor[];
}

export class ClassRows {
  /** What the optimizer keeps: lists with one tensor per tensor of `perClass`, then of `shared`. */
  readonly kept: Optimizer['kept'];
  readonly #parameters: RowParameters;
  readonly #name: OptimizerName;
  #optimizer: Optimizer;
  #rows: Tensor | undefined;

  constructor(parameters: RowParameters, name: OptimizerName = 'sgd') {
    this.#parameters = parameters;
    this.#name = name;
    this.#optimizer = createOptimizer(name, [...parameters.perClass, ...parameters.shared]);
    this.kept = this.#optimizer.kept;
  }

  /**
   * Begins a step without gradients.
   *
   * @param rows - the rows that take part @default all
   * @returns the parts of `perClass` that take part, as leaves
   */
  activate(rows: BigInt64Array | undefined): readonly Tensor[] {
    const { perClass, shared } = this.#parameters;
    if (rows === undefined) {
      this.#optimizer.zeroGrad();
      return perClass;
    }
    using _ = noGrad();
    this.#rows = fromArray(rows).to({ device: perClass[0]!.device });
    const sampled = perClass.map((tensor) => {
      const part = tensor.detach().indexSelect(0, this.#rows!);
      part.requiresGrad = true;
      return part;
    });
    const kept = this.kept.map((tensors) =>
      tensors.map((tensor, i) => (i < perClass.length ? tensor.indexSelect(0, this.#rows!) : tensor)),
    );
    // The optimizer holds only what belongs to the sampled rows.
    this.#optimizer = createOptimizer(this.#name, [...sampled, ...shared], kept);
    for (const tensor of shared) tensor.grad = undefined;
    return sampled;
  }

  /** L2 norms of the gradients, in the order of the parameters. */
  gradientNorms(): Float64Array {
    return this.#optimizer.gradientNorms();
  }

  /** Rows that are not sampled keep their values, and what the optimizer keeps for them. */
  step(options: StepOptions): void {
    this.#optimizer.step(options);
    if (this.#rows === undefined) return;
    using _ = noGrad();
    for (const [i, tensor] of this.#parameters.perClass.entries()) {
      tensor.indexCopy_(0, this.#rows, this.#optimizer.parameters[i]!.detach());
      for (const [kind, tensors] of this.kept.entries())
        tensors[i]!.indexCopy_(0, this.#rows, this.#optimizer.kept[kind]![i]!);
    }
  }
}
