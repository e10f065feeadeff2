/** Stochastic gradient descent as PyTorch defines it: v = μv + (g + λp), p = p − lr·v, in one pass over memory. */
import { noGrad } from './autograd.ts';
import { guarded } from './dispatch.ts';
import { native } from './load.ts';
import { scope } from './scope.ts';
import type { Tensor } from './tensor.ts';

/** Settings of one step. */
export interface SgdOptions {
  /** Learning rate. */
  readonly lr: number;
  /** μ. @default 0.9 */
  readonly momentum?: number;
  /** λ, on every parameter alike. @default 0 */
  readonly weightDecay?: number;
  /** Gradients are multiplied by it first: 1 over the scale of the loss. @default 1 */
  readonly gradientScale?: number;
}

/** SGD with momentum over one group of parameters. */
export class Sgd {
  readonly parameters: readonly Tensor[];
  /** v, one for each parameter, zero at the start; saved and restored with the model. */
  readonly velocities: readonly Tensor[];

  /** @param velocities - to go on with, of the parameters' shapes @default zeros */
  constructor(parameters: readonly Tensor[], velocities?: readonly Tensor[]) {
    using all = scope();
    using _ = noGrad();
    this.parameters = parameters;
    this.velocities = velocities ?? parameters.map((parameter) => all.keep(parameter.zerosLike()));
  }

  /** Changes every parameter that has a gradient. */
  step(options: SgdOptions): void {
    const { lr, momentum = 0.9, weightDecay = 0, gradientScale = 1 } = options;
    const handles = (tensors: readonly Tensor[]) => tensors.map((tensor) => tensor.handle);
    guarded(() =>
      native().sgdStep(handles(this.parameters), handles(this.velocities), lr, momentum, weightDecay, gradientScale),
    );
  }

  /** L2 norm of each parameter's gradient, in the order of the parameters; not finite where a value is not. */
  gradientNorms(): Float64Array {
    return guarded(() => native().gradientNorms(this.parameters.map((parameter) => parameter.handle)));
  }

  /** Forgets the gradients. */
  zeroGrad(): void {
    for (const parameter of this.parameters) parameter.grad = undefined;
  }
}
