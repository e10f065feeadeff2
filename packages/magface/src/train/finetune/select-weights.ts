/** Selects the weights of a graph to train, and the front of it that then stays constant. */
import { ConfigError } from '../../errors.ts';
import type { Network } from '../../graph/torch/network.ts';
import { layers } from '../../graph/torch/open-graph.ts';

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
export function selectWeights(graph: Network, { freeze = [], trainLast }: WeightSelection): string[] {
  const { nodes, weights } = graph;
  const places = nodes.flatMap(({ opType }, i) => (layers.has(opType) ? [i] : []));
  const first = trainLast === undefined ? 0 : (places.at(-trainLast) ?? 0);
  expectNames(graph, freeze);
  const isFrozen = (name: string): boolean => freeze.some((prefix) => name.startsWith(prefix));
  const chosen = nodes
    .slice(first)
    .filter((node) => !isFrozen(node.name) && !isFrozen(node.output[0]!))
    .flatMap((node) => node.input.filter((input) => weights.has(input) && !isFrozen(input)));
  if (chosen.length > 0) return [...new Set(chosen)];
  throw new ConfigError('freeze', {
    expected: 'weights to train',
    problem: `all of ${graph.name} are frozen`,
    remedy: `its layers' weights are named ${someNames(graph)}`,
  });
}

/** Rejects a prefix without matches, which would silently freeze nothing. */
function expectNames({ name, nodes, weights }: Network, prefixes: readonly string[]): void {
  const names = [...weights.keys(), ...nodes.flatMap((node) => [node.name, node.output[0]!])];
  const useless = prefixes.find((prefix) => !names.some((one) => one.startsWith(prefix)));
  if (useless === undefined) return;
  throw new ConfigError('freeze', {
    expected: `a prefix of names in ${name} for --freeze`,
    received: `"${useless}", with which none begins`,
    remedy: `its layers' weights are named ${someNames({ nodes })}`,
  });
}

/** `stem.weight, body.weight, head.weight to last.weight` */
function someNames({ nodes }: Pick<Network, 'nodes'>): string {
  const names = nodes.flatMap(({ opType, input }) => (layers.has(opType) ? [input[1]!] : []));
  return `${names.slice(0, 3).join(', ')} to ${names.at(-1)}`;
}

/**
 * The frozen front: all nodes before the first trained weight that reach the rest through a single value.
 *
 * @param trained - names of weights
 * @returns the name of that value; undefined if training begins at the input
 */
export function frontOf({ nodes, weights, input }: Network, trained: readonly string[]): string | undefined {
  const isTrained = new Set(trained);
  let front: string | undefined;
  for (const [i, node] of nodes.entries()) {
    if (node.input.some((name) => isTrained.has(name))) break;
    const before = new Set([input, ...nodes.slice(0, i + 1).map(({ output }) => output[0]!)]);
    const crossing = new Set(nodes.slice(i + 1).flatMap((later) => later.input.filter((name) => before.has(name))));
    if (crossing.size === 1 && crossing.has(node.output[0]!)) front = node.output[0];
  }
  return weights.size === 0 ? undefined : front;
}
