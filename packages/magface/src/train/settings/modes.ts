/** The modes of training, and the settings that apply to each. */
import type { Setting } from '../../settings/setting.ts';

/**
 * `nothing`, `weights` and `onnx` follow from --init. `processes` is one of the first two in several processes; `onnx` stays
 * `onnx` in several processes.
 */
export type Mode = 'nothing' | 'weights' | 'onnx' | 'processes';

/** Names of the modes in sentences. */
export const modeNames: Readonly<Record<Mode, string>> = {
  nothing: 'training from scratch',
  weights: 'training from weights',
  onnx: 'finetuning an ONNX model',
  processes: 'training in several processes',
};

export const modes: readonly Mode[] = ['nothing', 'weights', 'onnx', 'processes'];

/** Modes that a setting can be limited to, with the remark in the help. */
const limits: Readonly<Record<string, { readonly modes: readonly Mode[]; readonly remark: string }>> = {
  network: { modes: ['nothing', 'weights', 'processes'], remark: 'not ONNX' },
  single: { modes: ['nothing', 'weights'], remark: 'one process, not ONNX' },
  onnx: { modes: ['onnx'], remark: 'ONNX only' },
  processes: { modes: ['onnx', 'processes'], remark: 'several processes only' },
};

/** Whether --init names a model to finetune as a graph: anything but a file of weights. */
export const isOnnx = (init: unknown): boolean =>
  typeof init === 'string' && !/\.(pth|pt|ckpt|safetensors)$/i.test(init);

/** @param processes - whether several processes train together */
export function modeOf(init: unknown, processes: boolean): Mode {
  if (isOnnx(init)) return 'onnx';
  if (processes) return 'processes';
  return init === undefined ? 'nothing' : 'weights';
}

/** The modes that accept a setting; `isFor` also checks the number of processes. */
export const modesOf = ({ onlyFor }: Setting): readonly Mode[] =>
  onlyFor === undefined ? modes : limits[onlyFor]!.modes;

/** Whether the setting applies to a run in that mode. */
export const isFor = (setting: Setting, mode: Mode, processes: boolean): boolean =>
  modesOf(setting).includes(mode) && (processes || setting.onlyFor !== 'processes');

/** `ONNX only`; undefined if a setting applies to every mode. */
export const remarkOf = ({ onlyFor }: Setting): string | undefined => onlyFor && limits[onlyFor]!.remark;

/** @returns the default in a mode that the setting applies to; undefined if it has none */
export function defaultIn(setting: Setting, mode: Mode): unknown {
  return mode === 'onnx' && setting.onnxDefault !== undefined ? setting.onnxDefault : setting.default;
}

/** The default in words: `512`, `all cores`, `required`; undefined if there is none. */
export function defaultWords(setting: Setting, mode: Mode): string | undefined {
  const { otherwise, onnxOtherwise, required } = setting;
  if (mode === 'onnx' && onnxOtherwise !== undefined) return onnxOtherwise;
  const value = defaultIn(setting, mode);
  if (value === undefined) return required === true ? 'required' : otherwise;
  return Array.isArray(value) ? value.join(' ') : String(value);
}
