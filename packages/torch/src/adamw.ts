/**
 * AdamW as PyTorch defines it, with weight decay apart from the gradient:
 *
 *     p = p − lr·λ·p,   m = β₁m + (1 − β₁)g,   v = β₂v + (1 − β₂)g²
 *     p = p − lr / (1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε),   ε = 1e-8
 *
 * t is the number of the step, the same for all parameters.
 *
 * @see Loshchilov and Hutter, Decoupled Weight Decay Regularization, arXiv 1711.05101; torch.optim.AdamW
 */
import { noGrad } from './autograd.ts';
import { invoke, type Operator, operator } from './dispatch.ts';
import { Optimizer, type StepOptions } from './optimizer.ts';
import { scope } from './scope.ts';
import type { Tensor } from './tensor.ts';

const epsilon = 1e-8;

const multiply = operator('aten::_foreach_mul.Scalar');
const multiplyIn = operator('aten::_foreach_mul_.Scalar');
const divideIn = operator('aten::_foreach_div_.Scalar');
const addIn = operator('aten::_foreach_add_.Scalar');
const addTensorsIn = operator('aten::_foreach_add_.List');
const addProductsIn = operator('aten::_foreach_addcmul_.Scalar');
const addQuotientsIn = operator('aten::_foreach_addcdiv_.Scalar');
const roots = operator('aten::_foreach_sqrt');

/** AdamW over one group of parameters. */
export class AdamW extends Optimizer {
  /** m and v, one of each per parameter, initially zero. */
  readonly kept: readonly [means: readonly Tensor[], squares: readonly Tensor[]];

  /** @param kept - m and v to continue from, with the shapes of the parameters @default zeros */
  constructor(parameters: readonly Tensor[], kept?: readonly (readonly Tensor[])[]) {
    super(parameters);
    using all = scope();
    using _ = noGrad();
    const zeros = (): Tensor[] => parameters.map((parameter) => all.keep(parameter.zerosLike()));
    this.kept = [kept?.[0] ?? zeros(), kept?.[1] ?? zeros()];
  }

  step(options: StepOptions): void {
    const { lr, momentum: beta1 = 0.9, beta2 = 0.999, weightDecay = 0, gradientScale = 1, step = 1 } = options;
    using _scope = scope();
    using _ = noGrad();
    const given = this.parameters.map((parameter) => parameter.grad);
    const which = [...given.keys()].filter((i) => given[i] !== undefined);
    if (which.length === 0) return;
    const of = (tensors: readonly (Tensor | undefined)[]): Tensor[] => which.map((i) => tensors[i]!);
    const [parameters, means, squares] = [of(this.parameters), of(this.kept[0]), of(this.kept[1])];
    const gradients = gradientScale === 1 ? of(given) : listed(multiply, [of(given), gradientScale]);

    if (weightDecay !== 0) listed(multiplyIn, [parameters, 1 - lr * weightDecay]);
    listed(multiplyIn, [means, beta1]);
    listed(addTensorsIn, [means, gradients, 1 - beta1]);
    listed(multiplyIn, [squares, beta2]);
    listed(addProductsIn, [squares, gradients, gradients, 1 - beta2]);
    const denominators = listed(roots, [squares]);
    listed(divideIn, [denominators, Math.sqrt(1 - beta2 ** step)]);
    listed(addIn, [denominators, epsilon]);
    listed(addQuotientsIn, [parameters, means, denominators, -lr / (1 - beta1 ** step)]);
  }
}

/** Calls an operator on lists of tensors; those in place return nothing. */
const listed = (op: Operator, values: Parameters<typeof invoke>[1]): Tensor[] => invoke<Tensor[]>(op, values);
