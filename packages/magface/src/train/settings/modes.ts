/** The modes of training, and the settings of each. */
import type { Setting } from '../../settings/setting.ts';

/**
 * `nothing`, `weights` and `onnx` follow from --init; `processes` trains as the first two do, in several processes. The third
 * may have several too, and stays what it is.
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

/** Modes to which a setting can be limited, with the remark in the help. */
const limits: Readonly<Record<string, { readonly modes: readonly Mode[]; readonly remark: string }>> = {
  network: { modes: ['nothing', 'weights', 'processes'], remark: 'not ONNX' },
  onnx: { modes: ['onnx'], remark: 'ONNX only' },
  processes: { modes: ['onnx', 'processes'], remark: 'several processes only' },
};

/** Whether --init names a model to be finetuned as a graph: anything that is not a file of weights. */
export const isOnnx = (init: unknown): boolean =>
  typeof init === 'string' && !/\.(pth|pt|ckpt|safetensors)$/i.test(init);

/** @param processes - whether several processes train, or this is one of several */
export function modeOf(init: unknown, processes: boolean): Mode {
  if (isOnnx(init)) return 'onnx';
  if (processes) return 'processes';
  return init === undefined ? 'nothing' : 'weights';
}

/** The modes that a setting applies to; it is refused in all others, and in one process where it is for several. */
export const modesOf = ({ onlyFor }: Setting): readonly Mode[] =>
  onlyFor === undefined ? modes : limits[onlyFor]!.modes;

/** Whether it applies to a run in that mode. */
export const isFor = (setting: Setting, mode: Mode, processes: boolean): boolean =>
  modesOf(setting).includes(mode) && (processes || setting.onlyFor !== 'processes');

/** `ONNX only`; undefined where a setting applies to every mode. */
export const remarkOf = ({ onlyFor }: Setting): string | undefined => onlyFor && limits[onlyFor]!.remark;

/** @returns the default of a setting in a mode that it applies to; undefined where it has none */
export function defaultIn(setting: Setting, mode: Mode): unknown {
  return mode === 'onnx' && setting.onnxDefault !== undefined ? setting.onnxDefault : setting.default;
}

/** The same in words: `512`, `all cores`, `required`; undefined where there is nothing to say. */
export function defaultWords(setting: Setting, mode: Mode): string | undefined {
  const { otherwise, onnxOtherwise, required } = setting;
  if (mode === 'onnx' && onnxOtherwise !== undefined) return onnxOtherwise;
  const value = defaultIn(setting, mode);
  if (value === undefined) return required === true ? 'required' : otherwise;
  return Array.isArray(value) ? value.join(' ') : String(value);
}
