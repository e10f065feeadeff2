/** Learning rates by layer: weights further from the embedding are less specific to it, and may be changed more slowly. */
import type { Network } from '../../graph/torch/network.ts';
import { layers } from '../../graph/torch/open-graph.ts';

/** Weights with the same learning rate. */
export interface RateGroup {
  /** Factor on the learning rate. */
  readonly rate: number;
  readonly names: readonly string[];
}

/**
 * @param trained - names of weights
 * @param decay - factor on a weight's rate for each layer between it and the embedding; 1 for one rate
 * @returns groups in the order of their first weight; each weight is in one group
 */
export function rateGroups({ nodes }: Network, trained: readonly string[], decay: number): RateGroup[] {
  if (decay === 1) return [{ rate: 1, names: trained }];
  const behind = new Map<string, number>();
  let layersBehind = 0;
  for (const { opType, input: inputs } of nodes.toReversed()) {
    for (const input of inputs) behind.set(input, layersBehind); // the first reader's count is kept
    if (layers.has(opType)) layersBehind++;
  }
  const depths = [...new Set(trained.map((name) => behind.get(name)!))];
  return depths.map((depth) => ({
    rate: decay ** depth,
    names: trained.filter((name) => behind.get(name) === depth),
  }));
}
