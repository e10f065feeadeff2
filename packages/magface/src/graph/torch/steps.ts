/** Turns nodes into the steps of a forward pass: one for each, or one for a BatchNorm and the PReLU or sum behind it. */
import type { Tensor } from '@magface/torch';
import type { NodeProto } from '../onnx/onnx_pb.ts';
import { fusedNorm, type GraphOperator, type Pass, type StoredContext } from './operators.ts';
import { countReaders, lastReads } from './reads.ts';

/** A node of a network, with what runs it. */
export interface TranslatedNode {
  readonly node: NodeProto;
  readonly operator: GraphOperator;
  readonly context: StoredContext;
}

/** One call. */
export interface Step {
  /** Names of values and stored tensors; '' for an optional input that is left out. */
  readonly reads: readonly string[];
  readonly writes: string;
  readonly run: (inputs: readonly (Tensor | undefined)[], pass: Pass) => Tensor;
  /** Values that no later step reads. */
  readonly frees: readonly string[];
}

/** @param isFused - whether a BatchNorm runs with the PReLU or sum that alone reads it */
export function stepsOf(nodes: readonly TranslatedNode[], isFused: boolean): Step[] {
  const steps = isFused ? fused(nodes) : nodes.map(single);
  const frees = lastReads(steps);
  return steps.map((step, i) => ({ ...step, frees: frees[i]! }));
}

type OpenStep = Omit<Step, 'frees'>;

const single = ({ node, operator, context }: TranslatedNode): OpenStep => ({
  reads: node.input,
  writes: node.output[0]!,
  run: (inputs, pass) => operator.run(inputs, { ...context, ...pass }),
});

function fused(nodes: readonly TranslatedNode[]): OpenStep[] {
  const readers = countReaders(nodes.map(({ node }) => ({ reads: node.input })));
  const isNorm = ({ node }: TranslatedNode): boolean =>
    node.opType === 'BatchNormalization' && readers.get(node.output[0]!) === 1;
  const norms = new Map(nodes.filter(isNorm).map((norm) => [norm.node.output[0]!, norm]));
  const taken = new Set<NodeProto>();
  const steps = nodes.map((layer) => {
    const { node } = layer;
    const own = ['PRelu', 'Add'].includes(node.opType) ? node.input.find((name) => norms.has(name)) : undefined;
    if (own === undefined) return { node, step: single(layer) };
    const norm = norms.get(own)!;
    taken.add(norm.node);
    const others = node.input.filter((name) => name !== own);
    const isSum = node.opType === 'Add';
    const step: OpenStep = {
      reads: [...norm.node.input, ...others],
      writes: node.output[0]!,
      run: (inputs, pass) => {
        const other = inputs[norm.node.input.length]!;
        return fusedNorm(inputs, { ...norm.context, ...pass }, isSum ? { residual: other } : { slope: other });
      },
    };
    return { node, step };
  });
  return steps.filter(({ node }) => !taken.has(node)).map(({ step }) => step);
}
