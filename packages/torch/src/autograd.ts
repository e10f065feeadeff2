/** Gradients without `backward`, and blocks that autograd does not record. */
import { guarded } from './dispatch.ts';
import { native } from './load.ts';
import { Tensor } from './tensor.ts';

/** `using _ = noGrad()`: autograd records nothing until the block ends. */
export function noGrad(): Disposable {
  const before = native().recording(false);
  return { [Symbol.dispose]: () => void native().recording(before) };
}

/**
 * Gradients of a scalar with respect to some tensors. It leaves `grad` of the leaves untouched.
 *
 * @param output - a scalar, unless `gradient` is given
 * @returns one gradient per input; undefined where the output does not depend on the input
 */
export function gradients(
  output: Tensor,
  inputs: readonly Tensor[],
  options: { readonly gradient?: Tensor; readonly retainGraph?: boolean } = {},
): (Tensor | undefined)[] {
  const handles = inputs.map((input) => input.handle);
  const found = guarded(() =>
    native().grad(output.handle, handles, options.gradient?.handle, options.retainGraph ?? false),
  );
  return found.map((handle) => (handle === null ? undefined : new Tensor(handle, 'gradients')));
}
