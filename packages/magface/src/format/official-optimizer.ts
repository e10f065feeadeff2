/** SGD's state as `torch.optim.SGD.state_dict()` has it, with every parameter in one group, as the official trainers do. */
import type { LazyTensor } from './safetensors.ts';
import type { TorchValue } from './torch-writer.ts';

/**
 * @param velocities - one per parameter, in the model's order: the backbone, then the class centers
 * @param settings - those of the next step
 */
export function sgdState(
  velocities: readonly LazyTensor[],
  settings: { readonly lr: number; readonly momentum: number; readonly weightDecay: number },
): { readonly [key: string]: TorchValue } {
  const { lr, momentum, weightDecay } = settings;
  const group = {
    lr,
    momentum,
    dampening: 0,
    weight_decay: weightDecay,
    nesterov: false,
    maximize: false,
    foreach: null,
    differentiable: false,
    params: velocities.map((_, i) => i),
  };
  const state = Object.fromEntries(velocities.map((velocity, i) => [i, { momentum_buffer: velocity }]));
  return { state, param_groups: [group] };
}

/** The saved state that resuming needs. */
export interface SavedSgd {
  /** Paths of the velocities in the file, one per parameter; undefined if none was saved. */
  readonly velocities: readonly (string | undefined)[];
  /** Learning rate of the first group. */
  readonly lr: number | undefined;
}

/** @param optimizer - the value under `optimizer` of an official checkpoint; @returns undefined if it is not an SGD state */
export function readSgdState(optimizer: unknown): SavedSgd | undefined {
  if (!(optimizer instanceof Map)) return undefined;
  const groups: unknown = optimizer.get('param_groups');
  const state: unknown = optimizer.get('state');
  if (!Array.isArray(groups) || !(state instanceof Map) || !groups.every((group) => group instanceof Map))
    return undefined;
  const params = groups.flatMap((group) => (group.get('params') as unknown[] | undefined) ?? []);
  const lr: unknown = groups[0]?.get('lr');
  const velocities = params.map((id) => {
    const kept: unknown = state.get(id);
    const buffer: unknown = kept instanceof Map ? kept.get('momentum_buffer') : undefined;
    return typeof buffer === 'object' && buffer !== null ? `optimizer.state.${String(id)}.momentum_buffer` : undefined;
  });
  return { velocities, lr: typeof lr === 'number' ? lr : undefined };
}
