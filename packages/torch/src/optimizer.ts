/** What optimizers have in common: parameters, the tensors they keep for each, and their steps. */
import { guarded } from './dispatch.ts';
import { native } from './load.ts';
import type { Tensor } from './tensor.ts';

/** Options of one step. */
export interface StepOptions {
  /** Learning rate. */
  readonly lr: number;
  /** μ of SGD, β₁ of AdamW. @default 0.9 */
  readonly momentum?: number;
  /** λ, the same for every parameter. @default 0 */
  readonly weightDecay?: number;
  /** Multiplies the gradients first; 1 / loss scale. @default 1 */
  readonly gradientScale?: number;
  /** Which step this is, from 1: AdamW corrects its first means by it. @default 1 */
  readonly step?: number;
  /** β₂ of AdamW. @default 0.999 */
  readonly beta2?: number;
}

/** Updates a group of parameters by their gradients. */
export abstract class Optimizer {
  readonly parameters: readonly Tensor[];
  /** What it keeps, one tensor per parameter in each list; all zeros at first. Save and restore them with the model. */
  abstract readonly kept: readonly (readonly Tensor[])[];

  protected constructor(parameters: readonly Tensor[]) {
    this.parameters = parameters;
  }

  /** Updates every parameter that has a gradient. */
  abstract step(options: StepOptions): void;

  /** L2 norm of each parameter's gradient, in order; not finite if a value of the gradient is not. */
  gradientNorms(): Float64Array {
    return guarded(() => native().gradientNorms(this.parameters.map((parameter) => parameter.handle)));
  }

  /** Clears the gradients. */
  zeroGrad(): void {
    for (const parameter of this.parameters) parameter.grad = undefined;
  }
}
