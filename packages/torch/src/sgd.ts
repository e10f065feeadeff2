/** SGD as PyTorch defines it, in one pass over memory: v = μv + (g + λp), p = p − lr·v. */
import { noGrad } from './autograd.ts';
import { guarded } from './dispatch.ts';
import { native } from './load.ts';
import { Optimizer, type StepOptions } from './optimizer.ts';
import { scope } from './scope.ts';
import type { Tensor } from './tensor.ts';

/** SGD with momentum over one group of parameters. */
export class Sgd extends Optimizer {
  /** v, one per parameter, initially zero. */
  readonly velocities: readonly Tensor[];

  /** @param velocities - to continue from, with the shapes of the parameters @default zeros */
  constructor(parameters: readonly Tensor[], velocities?: readonly Tensor[]) {
    super(parameters);
    using all = scope();
    using _ = noGrad();
    this.velocities = velocities ?? parameters.map((parameter) => all.keep(parameter.zerosLike()));
  }

  get kept(): readonly (readonly Tensor[])[] {
    return [this.velocities];
  }

  step(options: StepOptions): void {
    const { lr, momentum = 0.9, weightDecay = 0, gradientScale = 1 } = options;
    const handles = (tensors: readonly Tensor[]) => tensors.map((tensor) => tensor.handle);
    guarded(() =>
      native().sgdStep(handles(this.parameters), handles(this.velocities), lr, momentum, weightDecay, gradientScale),
    );
  }
}
