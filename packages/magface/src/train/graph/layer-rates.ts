/** How fast each weight learns: what lies further from the embedding has less to do with it, and may be changed more slowly. */
import { layers, type TrainableGraph } from './trainable-graph.ts';

/** Weights that learn at one rate. */
export interface RateGroup {
  /** What the learning rate is multiplied by. */
  readonly rate: number;
  readonly names: readonly string[];
}

/**
 * @param trained - names of weights
 * @param decay - what each layer between a weight and the embedding multiplies its rate by; 1 for one rate
 * @returns groups in the order of their first weight; each weight is in one
 */
export function rateGroups({ steps }: TrainableGraph, trained: readonly string[], decay: number): RateGroup[] {
  if (decay === 1) return [{ rate: 1, names: trained }];
  const behind = new Map<string, number>();
  let layersBehind = 0;
  for (const { node } of steps.toReversed()) {
    for (const input of node.input) behind.set(input, layersBehind); // the first reader's stays
    if (layers.has(node.opType)) layersBehind++;
  }
  const depths = [...new Set(trained.map((name) => behind.get(name)!))];
  return depths.map((depth) => ({
    rate: decay ** depth,
    names: trained.filter((name) => behind.get(name) === depth),
  }));
}
