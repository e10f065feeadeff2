/** Selects the weights of a graph to train, and the front of it that then stays constant. */
import { ConfigError } from '../../errors.ts';
import { layers, type TrainableGraph } from './trainable-graph.ts';

export interface WeightSelection {
  /** Freezes weights and nodes with these name prefixes. `--freeze` @default none */
  readonly freeze?: readonly string[] | undefined;
  /** Trains only the last so many convolutions and linear layers, and nodes between and after. `--train-last` @default all */
  readonly trainLast?: number | undefined;
}

/**
 * @returns names of the weights to train, in the order of the nodes
 * @throws {ConfigError} if none is left, or if no name begins with a prefix to freeze
 */
export function selectWeights(graph: TrainableGraph, { freeze = [], trainLast }: WeightSelection): string[] {
  const { steps, weights } = graph;
  const places = steps.flatMap(({ node }, i) => (layers.has(node.opType) ? [i] : []));
  const first = trainLast === undefined ? 0 : (places.at(-trainLast) ?? 0);
  expectNames(graph, freeze);
  const isFrozen = (name: string): boolean => freeze.some((prefix) => name.startsWith(prefix));
  const chosen = steps
    .slice(first)
    .filter(({ node }) => !isFrozen(node.name) && !isFrozen(node.output[0]!))
    .flatMap(({ node }) => node.input.filter((input) => weights.has(input) && !isFrozen(input)));
  if (chosen.length > 0) return [...new Set(chosen)];
  throw new ConfigError(
    'freeze',
    `Expected weights to train but all of ${graph.name} are frozen: its layers' weights are named ${someNames(graph)}.`,
  );
}

/** Rejects a prefix without matches, which would silently freeze nothing. */
function expectNames({ name, steps, weights }: TrainableGraph, prefixes: readonly string[]): void {
  const names = [...weights.keys(), ...steps.flatMap(({ node }) => [node.name, node.output[0]!])];
  const useless = prefixes.find((prefix) => !names.some((one) => one.startsWith(prefix)));
  if (useless === undefined) return;
  const message = `Expected a prefix of names in ${name} for --freeze but received "${useless}", with which none begins: its layers' weights are named ${someNames({ steps })}.`;
  throw new ConfigError('freeze', message);
}

/** `stem.weight, body.weight, head.weight to last.weight` */
function someNames({ steps }: Pick<TrainableGraph, 'steps'>): string {
  const names = steps.flatMap(({ node }) => (layers.has(node.opType) ? [node.input[1]!] : []));
  return `${names.slice(0, 3).join(', ')} to ${names.at(-1)}`;
}

/**
 * The frozen front: all nodes before the first trained weight that reach the rest through a single value.
 *
 * @param trained - names of weights
 * @returns the name of that value; undefined if training begins at the input
 */
export function frontOf({ steps, weights, input }: TrainableGraph, trained: readonly string[]): string | undefined {
  const isTrained = new Set(trained);
  let front: string | undefined;
  for (const [i, { node }] of steps.entries()) {
    if (node.input.some((name) => isTrained.has(name))) break;
    const before = new Set([input, ...steps.slice(0, i + 1).map((step) => step.node.output[0]!)]);
    const crossing = new Set(steps.slice(i + 1).flatMap((step) => step.node.input.filter((name) => before.has(name))));
    if (crossing.size === 1 && crossing.has(node.output[0]!)) front = node.output[0];
  }
  return weights.size === 0 ? undefined : front;
}
