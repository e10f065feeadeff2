/** Gradients without `backward`, and code that autograd does not record. */
import { guarded } from './dispatch.ts';
import { native } from './load.ts';
import { Tensor } from './tensor.ts';

/** `using _ = noGrad()`: nothing is recorded for gradients until the block ends. */
export function noGrad(): Disposable {
  const before = native().recording(false);
  return { [Symbol.dispose]: () => void native().recording(before) };
}

/**
 * The gradients of one value by some tensors; `grad` of the leaves stays as it is.
 *
 * @param output - one value, unless `gradient` is given
 * @returns one for each input; undefined where the output does not depend on it
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
