/** Selects layers to run in one operator: a BatchNorm and the PReLU or sum that is its only reader. */
import type { Layer } from './layers.ts';

/** One call: a layer, with the preceding BatchNorm if they are fused. */
export interface Step {
  readonly layer: Layer;
  /** Runs on the first input, before the layer. */
  readonly norm?: BatchNormLayer;
  /** Names of the values read; with `norm`, its input replaces its output and comes first. */
  readonly inputs: readonly string[];
}

export type BatchNormLayer = Extract<Layer, { readonly kind: 'batchNorm' }>;

/** One step per layer. */
export const singleSteps = (layers: readonly Layer[]): Step[] =>
  layers.map((layer) => ({ layer, inputs: layer.inputs }));

/** @returns the calls in order; a fused BatchNorm has no call of its own */
export function fuseSteps(layers: readonly Layer[]): Step[] {
  const readers = new Map<string, number>();
  for (const { inputs } of layers) for (const name of inputs) readers.set(name, (readers.get(name) ?? 0) + 1);
  const norms = new Map<string, BatchNormLayer>();
  for (const layer of layers)
    if (layer.kind === 'batchNorm' && readers.get(layer.output) === 1) norms.set(layer.output, layer);

  const taken = new Set<Layer>();
  const steps = layers.map((layer): Step => {
    const own =
      layer.kind === 'prelu' || layer.kind === 'add' ? layer.inputs.find((name) => norms.has(name)) : undefined;
    if (own === undefined) return { layer, inputs: layer.inputs };
    const norm = norms.get(own)!;
    taken.add(norm);
    const others = layer.inputs.filter((name) => name !== own);
    return { layer, norm, inputs: [...norm.inputs, ...others] };
  });
  return steps.filter(({ layer }) => !taken.has(layer));
}
