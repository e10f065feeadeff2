/** A rank's trained tensors with one row per class, of which a step may train a sample. */
import { fromArray, noGrad, Sgd, type SgdOptions, type Tensor } from '@magface/torch';

/** Rows per class, beside tensors that all ranks have whole. All are trainable leaves. */
export interface RowParameters {
  /** Each (K_r, …). */
  readonly perClass: readonly Tensor[];
  readonly shared: readonly Tensor[];
}

export class ClassRows {
  /** One per tensor of `perClass`, then of `shared`. */
  readonly velocities: readonly Tensor[];
  readonly #parameters: RowParameters;
  #optimizer: Sgd;
  #rows: Tensor | undefined;

  constructor(parameters: RowParameters) {
    this.#parameters = parameters;
    this.#optimizer = new Sgd([...parameters.perClass, ...parameters.shared]);
    this.velocities = this.#optimizer.velocities;
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
    const velocities = this.velocities.map((velocity, i) =>
      i < perClass.length ? velocity.indexSelect(0, this.#rows!) : velocity,
    );
    // The optimizer holds only the velocities of the sampled rows.
    this.#optimizer = new Sgd([...sampled, ...shared], velocities);
    for (const tensor of shared) tensor.grad = undefined;
    return sampled;
  }

  /** L2 norms of the gradients, in the order of `velocities`. */
  gradientNorms(): Float64Array {
    return this.#optimizer.gradientNorms();
  }

  /** Rows that are not sampled keep their values and velocities. */
  step(options: SgdOptions): void {
    this.#optimizer.step(options);
    if (this.#rows === undefined) return;
    using _ = noGrad();
    for (const [i, tensor] of this.#parameters.perClass.entries()) {
      tensor.indexCopy_(0, this.#rows, this.#optimizer.parameters[i]!.detach());
      this.velocities[i]!.indexCopy_(0, this.#rows, this.#optimizer.velocities[i]!);
    }
  }
}
