/** SGD as PyTorch defines it, in one pass over memory: v = μv + (g + λp), p = p − lr·v. */
import { noGrad } from './autograd.ts';
import { guarded } from './dispatch.ts';
import { native } from './load.ts';
import { scope } from './scope.ts';
import type { Tensor } from './tensor.ts';

/** Options of one step. */
export interface SgdOptions {
  /** Learning rate. */
  readonly lr: number;
  /** μ. @default 0.9 */
  readonly momentum?: number;
  /** λ, the same for every parameter. @default 0 */
  readonly weightDecay?: number;
  /** Multiplies the gradients first; 1 / loss scale. @default 1 */
  readonly gradientScale?: number;
}

/** SGD with momentum over one group of parameters. */
export class Sgd {
  readonly parameters: readonly Tensor[];
  /** v, one per parameter, initially zero. Save and restore them with the model. */
  readonly velocities: readonly Tensor[];

  /** @param velocities - to continue from, with the shapes of the parameters @default zeros */
  constructor(parameters: readonly Tensor[], velocities?: readonly Tensor[]) {
    using all = scope();
    using _ = noGrad();
    this.parameters = parameters;
    this.velocities = velocities ?? parameters.map((parameter) => all.keep(parameter.zerosLike()));
  }

  /** Updates every parameter that has a gradient. */
  step(options: SgdOptions): void {
    const { lr, momentum = 0.9, weightDecay = 0, gradientScale = 1 } = options;
    const handles = (tensors: readonly Tensor[]) => tensors.map((tensor) => tensor.handle);
    guarded(() =>
      native().sgdStep(handles(this.parameters), handles(this.velocities), lr, momentum, weightDecay, gradientScale),
    );
  }

  /** L2 norm of each parameter's gradient, in order; not finite if a value of the gradient is not. */
  gradientNorms(): Float64Array {
    return guarded(() => native().gradientNorms(this.parameters.map((parameter) => parameter.handle)));
  }

  /** Clears the gradients. */
  zeroGrad(): void {
    for (const parameter of this.parameters) parameter.grad = undefined;
  }
}
