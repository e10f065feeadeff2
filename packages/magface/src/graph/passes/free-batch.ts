/**
 * Frees a batch dimension that a file fixes at one without needing it. The batch is traced through the graph as axis 0.
 * Every operator on its way must be known to keep faces apart on that axis.
 */
import { create } from '@bufbuild/protobuf';
import { axesOf, dropUnread, type GraphIndex, indexGraph, intAttribute, intOf, intsOf, opsetOf } from '../nodes.ts';
import { DimensionProtoSchema, type ModelProto, type NodeProto, type ValueInfoProto } from '../onnx/onnx_pb.ts';
import { integersOf, tensorProto } from '../onnx/tensor.ts';

/** Whether the first dimension of every input is free. */
export function isBatchFree({ graph }: ModelProto, file: string): boolean {
  const inputs = indexGraph(graph!, file).inputs;
  return graph!.input.every((value) => !inputs.includes(value.name) || firstOf(value) === undefined);
}

/** The first dimension of a value; undefined if it is free. */
function firstOf(value: ValueInfoProto): number | undefined {
  const first = value.type?.tensorType?.shape?.dim[0]?.value;
  return first?.case === 'dimValue' ? Number(first.value) : undefined;
}

/**
 * Frees the model's batch dimension in place, if that is safe.
 *
 * @returns undefined if it was freed, else the reason, in words that follow "but"
 */
export function freeBatchOf(model: ModelProto, file: string): string | undefined {
  const graph = model.graph!;
  const batch = new BatchTrace(model, file);
  for (const value of graph.input.filter(({ name }) => batch.index.inputs.includes(name))) {
    if (firstOf(value) !== 1) return `its input ${value.name} has no first dimension of 1`;
    batch.ranks.set(value.name, value.type!.tensorType!.shape!.dim.length);
  }
  for (const node of graph.node) {
    const reason = batch.follow(node);
    if (reason !== undefined) return reason;
  }
  const lost = graph.output.find(({ name }) => !batch.ranks.has(name));
  if (lost !== undefined) return `its output ${lost.name} does not depend on the input`;
  batch.apply();
  for (const value of [...graph.input.filter(({ name }) => batch.ranks.has(name)), ...graph.output]) freeFirst(value);
  graph.valueInfo = []; // shapes inferred for a batch of one
  dropUnread(graph);
  return undefined;
}

function freeFirst(value: ValueInfoProto): void {
  const dims = value.type?.tensorType?.shape?.dim;
  if (dims?.[0] !== undefined) dims[0] = create(DimensionProtoSchema, { value: { case: 'dimParam', value: 'N' } });
}

/** Returns the rank of an operator's output, or undefined if it may mix faces. */
type Rule = (node: NodeProto, trace: BatchTrace) => number | undefined;

/** The values with a batch on axis 0, and their ranks. */
class BatchTrace {
  readonly ranks = new Map<string, number>();
  readonly index: GraphIndex;
  readonly opset: number;
  readonly #model: ModelProto;
  readonly #reshapes: { readonly node: NodeProto; readonly shape: readonly number[] }[] = [];

  constructor(model: ModelProto, file: string) {
    this.#model = model;
    this.index = indexGraph(model.graph!, file);
    this.opset = opsetOf(model.opsetImport);
  }

  follow(node: NodeProto): string | undefined {
    if (node.attribute.some(({ g, graphs }) => g !== undefined || graphs.length > 0)) {
      return `its operator ${node.opType} holds a graph of its own`;
    }
    if (!node.input.some((name) => this.ranks.has(name))) return undefined; // computed from weights alone
    const rule = node.domain === '' || node.domain === 'ai.onnx' ? rules[node.opType] : undefined;
    if (rule === undefined) return `its operator ${node.opType} is not known to keep faces apart`;
    const rank = rule(node, this);
    if (rank === undefined) return `its operator ${node.opType} (${node.output[0]}) may mix the faces of a batch`;
    for (const name of node.output) this.ranks.set(name, rank);
    return undefined;
  }

  rank(name: string | undefined): number | undefined {
    return this.ranks.get(name ?? '');
  }

  /** Whether a constant broadcasts to a batch of this rank, the same for every face. */
  spreads(name: string, rank: number): boolean {
    const dims = this.index.constant(name)?.dims;
    return dims !== undefined && (dims.length < rank || (dims.length === rank && dims[0] === 1));
  }

  /** Records a Reshape with a leading 1 that must be copied from the input. */
  reshape(node: NodeProto, shape: readonly number[]): void {
    this.#reshapes.push({ node, shape });
  }

  apply(): void {
    for (const { node, shape } of this.#reshapes) {
      const name = `${node.output[0]}.shape`;
      const data = BigInt64Array.from([0, ...shape.slice(1)], BigInt);
      this.#model.graph!.initializer.push(tensorProto(name, { dims: [shape.length], dtype: 'int64', data }));
      node.input[1] = name;
      node.attribute = [...node.attribute.filter((one) => one.name !== 'allowzero')];
      if (this.opset >= 14) node.attribute.push(intAttribute('allowzero', 0));
    }
  }
}

/** Only the operator's first input holds the batch; its other inputs are weights. */
const first: Rule = ({ input }, trace) =>
  input.slice(1).some((name) => trace.rank(name) !== undefined) ? undefined : trace.rank(input[0]);

/** Elementwise: batches of one rank, and constants that are the same for every face. */
const pointwise: Rule = ({ input }, trace) => {
  const names = input.filter((name) => name !== '');
  const ranks = names.flatMap((name) => trace.rank(name) ?? []);
  const [rank] = ranks;
  const alike = rank !== undefined && ranks.every((one) => one === rank);
  return alike && names.every((name) => trace.rank(name) !== undefined || trace.spreads(name, rank)) ? rank : undefined;
};

/** Nonnegative axes; undefined if one of them is the batch or they are unknown. */
function otherAxes(axes: readonly number[] | undefined | null, rank: number): number[] | undefined {
  const counted = axes?.map((axis) => (axis < 0 ? axis + rank : axis));
  return counted?.every((axis) => axis > 0 && axis < rank) ? counted : undefined;
}

const alongAxis =
  (standard: number): Rule =>
  (node, trace) => {
    const rank = first(node, trace);
    return rank !== undefined && otherAxes([intOf(node, 'axis', standard)], rank) ? rank : undefined;
  };

const reduction: Rule = (node, trace) => {
  const rank = first(node, trace);
  const axes = rank === undefined ? undefined : otherAxes(axesOf(node, trace.index), rank);
  if (rank === undefined || axes === undefined || axes.length === 0) return undefined;
  return intOf(node, 'keepdims', 1) === 1 ? rank : rank - axes.length;
};

const reshape: Rule = (node, trace) => {
  const shape = trace.index.constant(node.input[1]);
  if (first(node, trace) === undefined || shape === undefined) return undefined;
  const sizes = integersOf(shape);
  const copies = sizes[0] === 0 && intOf(node, 'allowzero', 0) === 0;
  if (sizes[0] === 1 && !sizes.slice(1).includes(0)) trace.reshape(node, sizes);
  else if (!copies && !(sizes[0] === -1 && leadsToOne(node.output[0]!, trace))) return undefined;
  return sizes.length;
};

/** A leading -1 is only the batch if the file declares that it resolves to 1. */
function leadsToOne(name: string, { index }: BatchTrace): boolean {
  const told = [...index.graph.output, ...index.graph.valueInfo].find((value) => value.name === name);
  return told !== undefined && firstOf(told) === 1;
}

const gemm: Rule = (node, trace) => {
  const bias = node.input[2];
  const own = first(node, trace) === 2 && intOf(node, 'transA', 0) === 0;
  return own && (!bias || trace.spreads(bias, 2)) ? 2 : undefined;
};

const matMul: Rule = (node, trace) => {
  const [a, b] = [trace.rank(node.input[0]), trace.rank(node.input[1])];
  if (a !== undefined && b !== undefined) return a === b && a > 2 ? a : undefined;
  const constant = trace.index.constant(node.input[1])?.dims.length;
  return a !== undefined && a >= 2 && constant === 2 ? a : undefined;
};

const transpose: Rule = (node, trace) => (intsOf(node, 'perm')?.[0] === 0 ? first(node, trace) : undefined);

const squeeze: Rule = (node, trace) => {
  const rank = first(node, trace);
  const axes = rank === undefined ? undefined : otherAxes(axesOf(node, trace.index), rank);
  return axes === undefined ? undefined : rank! - axes.length;
};

const unsqueeze: Rule = (node, trace) => {
  const rank = first(node, trace);
  const given = axesOf(node, trace.index);
  const axes = rank === undefined || !given ? undefined : otherAxes(given, rank + given.length);
  return axes === undefined ? undefined : rank! + axes.length;
};

const concat: Rule = (node, trace) => {
  const ranks = node.input.map((name) => trace.rank(name));
  const [rank] = ranks;
  const alike = rank !== undefined && ranks.every((one) => one === rank);
  return alike && otherAxes([intOf(node, 'axis', 0)], rank) ? rank : undefined;
};

const slice: Rule = (node, trace) => {
  const rank = first(node, trace);
  const stored = trace.index.constant(node.input[3]);
  const axes = intsOf(node, 'axes') ?? (stored && integersOf(stored));
  return rank !== undefined && otherAxes(axes, rank) ? rank : undefined;
};

const pad: Rule = (node, trace) => {
  const rank = first(node, trace);
  const stored = trace.index.constant(node.input[1]);
  const pads = intsOf(node, 'pads') ?? (stored && integersOf(stored));
  return rank !== undefined && !node.input[3] && pads?.[0] === 0 && pads[rank] === 0 ? rank : undefined;
};

const flatten: Rule = (node, trace) => {
  const rank = first(node, trace);
  const axis = intOf(node, 'axis', 1);
  return rank !== undefined && (axis === 1 || axis + rank === 1) ? 2 : undefined;
};

const named = (names: string, rule: Rule): Record<string, Rule> =>
  Object.fromEntries(names.split(' ').map((name) => [name, rule]));

/** The operators supported in a graph with a freed batch. */
const rules: Readonly<Record<string, Rule>> = {
  ...named('Conv ConvTranspose MaxPool AveragePool GlobalAveragePool GlobalMaxPool LRN', first),
  ...named('BatchNormalization InstanceNormalization GroupNormalization Identity Dropout Cast', first),
  ...named('Relu LeakyRelu Elu Selu Celu Gelu Mish Sigmoid Tanh HardSigmoid HardSwish Softplus Softsign Erf', first),
  ...named('Abs Neg Sqrt Exp Log Reciprocal Floor Ceil Round Sign Not Clip ThresholdedRelu', first),
  ...named('PRelu Add Sub Mul Div Pow Max Min Sum Mean Where Equal Less Greater', pointwise),
  ...named('ReduceMean ReduceSum ReduceL1 ReduceL2 ReduceMax ReduceMin ReduceSumSquare', reduction),
  ...named('Softmax LogSoftmax LpNormalization LayerNormalization', alongAxis(-1)),
  ...named('QuantizeLinear DequantizeLinear', (node, trace) => {
    const scalar = trace.index.constant(node.input[1])?.dims.length === 0;
    return scalar ? first(node, trace) : alongAxis(1)(node, trace);
  }),
  Split: alongAxis(0),
  Gemm: gemm,
  MatMul: matMul,
  Reshape: reshape,
  Flatten: flatten,
  Transpose: transpose,
  Squeeze: squeeze,
  Unsqueeze: unsqueeze,
  Concat: concat,
  Slice: slice,
  Pad: pad,
};
