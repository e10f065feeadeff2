/**
 * Static int8 quantization in ONNX's QuantizeLinear / DequantizeLinear form, which runtimes turn into integer kernels.
 *
 *     activations  uint8, a scale and zero point per tensor    x ≈ s · (q − z)
 *     weights      int8, a scale per output channel            w ≈ s_c · q
 *     biases       int32, scale s · s_c
 *
 * Conv, Gemm and MatMul with stored weights, and Add, are quantized, together with a Relu or Clip after them. All other
 * layers stay float, and so do those that the caller names and a length branch, whose 8 bits would round the quality.
 */
import {
  dropUnread,
  floatOf,
  type GraphIndex,
  indexGraph,
  intAttribute,
  intOf,
  newNode,
  outputAxis,
  sortNodes,
} from '../nodes.ts';
import type { GraphProto, ModelProto, NodeProto } from '../onnx/onnx_pb.ts';
import { floatsOf, floatTensor, type OnnxTensor, tensorProto } from '../onnx/tensor.ts';
import { lengthPrefix } from './length-branch.ts';
import { quantizeRows, rowsOf } from './quantize-rows.ts';

/** The range that a tensor's 8 bits represent; values outside are clipped. */
export interface ActivationRange {
  readonly low: number;
  readonly high: number;
}

/** A node to quantize. */
interface IntegerNode {
  readonly node: NodeProto;
  /** Indices of the inputs that are activations. */
  readonly reads: readonly number[];
  /** Its output, after its Relu or Clip. */
  readonly writes: string;
  /** Limits of the Relu or Clip after it. */
  readonly limits: ActivationRange | undefined;
  readonly weight: OnnxTensor | undefined;
}

export interface QuantizationPlan {
  readonly nodes: readonly IntegerNode[];
  /** Activations that need a range. */
  readonly values: readonly string[];
}

/**
 * @param model - simplified
 * @param options.keepFloat - outputs of nodes that stay float
 */
export function planQuantization(
  model: ModelProto,
  { file, keepFloat }: { readonly file: string; readonly keepFloat: ReadonlySet<string> },
): QuantizationPlan {
  const index = indexGraph(model.graph!, file);
  const nodes = model
    .graph!.node.filter(({ output }) => !keepFloat.has(output[0]!) && !output[0]!.startsWith(lengthPrefix))
    .flatMap((node) => integerNode(node, index) ?? []);
  const values = nodes.flatMap(({ node, reads, writes }) => [
    ...reads.map((i) => node.input[i]!),
    ...(index.outputs.has(writes) ? [] : [writes]),
  ]);
  return { nodes, values: [...new Set(values)] };
}

function integerNode(node: NodeProto, index: GraphIndex): IntegerNode | undefined {
  const { writes, limits } = behind(node, index);
  const shared = { node, writes, limits };
  if (node.opType === 'Add') {
    const computed = node.input.every((name) => index.constant(name) === undefined);
    return computed ? { ...shared, reads: [0, 1], weight: undefined } : undefined;
  }
  const plain = floatOf(node, 'alpha', 1) === 1 && floatOf(node, 'beta', 1) === 1 && intOf(node, 'transA', 0) === 0;
  if (!['Conv', 'MatMul', 'Gemm'].includes(node.opType) || !plain) return undefined;
  const weight = index.constant(node.input[1]);
  const bias = node.input[2] ? index.constant(node.input[2]) : null;
  const fits = weight !== undefined && bias !== undefined && (node.opType === 'Conv' || weight.dims.length === 2);
  return fits && index.constant(node.input[0]) === undefined ? { ...shared, reads: [0], weight } : undefined;
}

/** The value after a Relu or Clip, if that is the only reader of a node's output. */
function behind(node: NodeProto, index: GraphIndex): Pick<IntegerNode, 'writes' | 'limits'> {
  const output = node.output[0]!;
  const [reader, ...others] = index.readers.get(output) ?? [];
  const alone = reader !== undefined && others.length === 0 && !index.outputs.has(output);
  if (alone && reader.opType === 'Relu') {
    return { writes: reader.output[0]!, limits: { low: 0, high: Number.POSITIVE_INFINITY } };
  }
  if (alone && reader.opType === 'Clip') {
    const [low, high] = [1, 2].map((i) => index.constant(reader.input[i]));
    if (low !== undefined && high !== undefined) {
      return { writes: reader.output[0]!, limits: { low: floatsOf(low)[0]!, high: floatsOf(high)[0]! } };
    }
  }
  return { writes: output, limits: undefined };
}

/**
 * Changes the model in place.
 *
 * @param ranges - for every value of the plan
 */
export function quantize(
  model: ModelProto,
  plan: QuantizationPlan,
  ranges: ReadonlyMap<string, ActivationRange>,
): void {
  const writer = new IntegerWriter(model.graph!, limited(plan, ranges));
  for (const planned of plan.nodes) writer.turn(planned);
  writer.finish();
}

/** Clips ranges to the limits of a Clip, so that runtimes can drop it. */
function limited(
  { nodes }: QuantizationPlan,
  ranges: ReadonlyMap<string, ActivationRange>,
): Map<string, ActivationRange> {
  const result = new Map(ranges);
  for (const { writes, limits } of nodes) {
    const range = ranges.get(writes);
    if (limits === undefined || range === undefined) continue;
    result.set(writes, { low: Math.max(range.low, limits.low), high: Math.min(range.high, limits.high) });
  }
  return result;
}

interface Scale {
  readonly scale: number;
  /** 0 to 255. */
  readonly zero: number;
}

/** @returns the scale of 256 steps that cover the range and represent zero exactly */
function activationScale({ low, high }: ActivationRange): Scale {
  const [from, to] = [Math.min(0, low), Math.max(0, high)];
  const scale = Math.fround((to - from) / 255) || 1;
  return { scale, zero: Math.round(-from / scale) };
}

class IntegerWriter {
  readonly #graph: GraphProto;
  readonly #ranges: ReadonlyMap<string, ActivationRange>;
  readonly #added: NodeProto[] = [];
  /** From a value to its quantized copy. */
  readonly #twins = new Map<string, string>();
  /** Values that integer layers write. */
  readonly #written = new Set<string>();
  readonly #index: GraphIndex;

  constructor(graph: GraphProto, ranges: ReadonlyMap<string, ActivationRange>) {
    this.#graph = graph;
    this.#ranges = ranges;
    this.#index = indexGraph(graph, graph.name);
  }

  turn({ node, reads, writes, weight }: IntegerNode): void {
    for (const i of reads) node.input[i] = this.#twin(node.input[i]!);
    if (weight !== undefined) this.#weights(node, weight);
    if (this.#index.outputs.has(writes)) return; // the model's outputs stay float
    this.#twin(writes);
    this.#written.add(writes);
  }

  /** Makes every reader of an integer layer's output read 8 bits. */
  finish(): void {
    for (const node of this.#graph.node) {
      node.input = node.input.map((name) => (this.#written.has(name) ? this.#twins.get(name)! : name));
    }
    this.#graph.node.push(...this.#added);
    this.#graph.valueInfo = [];
    sortNodes(this.#graph);
    dropUnread(this.#graph);
  }

  #twin(value: string): string {
    const known = this.#twins.get(value);
    if (known !== undefined) return known;
    const { scale, zero } = activationScale(this.#ranges.get(value)!);
    const parameters = [
      this.#store(`${value}.scale`, floatTensor([], Float32Array.of(scale))),
      this.#store(`${value}.zero`, { dims: [], dtype: 'uint8', data: Uint8Array.of(zero) }),
    ];
    this.#added.push(newNode('QuantizeLinear', [value, ...parameters], `${value}.uint8`));
    this.#added.push(newNode('DequantizeLinear', [`${value}.uint8`, ...parameters], `${value}.twin`));
    this.#twins.set(value, `${value}.twin`);
    return `${value}.twin`;
  }

  #weights(node: NodeProto, weight: OnnxTensor): void {
    const input = node.input[0]!.replace(/\.twin$/, '');
    const { scale } = activationScale(this.#ranges.get(input)!);
    const axis = outputAxis(node);
    const bias = node.input[2] ? floatsOf(this.#index.constant(node.input[2])!) : undefined;
    const rows = rowsOf(node, weight);
    const least = (row: number): number => Math.abs(bias?.[row] ?? 0) / scale / 2 ** 30;
    const { scales, values } = quantizeRows(floatsOf(weight), rows, least);
    const name = node.output[0]!;
    const dims = [scales.length];
    const zeros: OnnxTensor = { dims, dtype: 'int8', data: new Int8Array(scales.length) };
    node.input[1] = this.#stored(
      `${name}.weight`,
      [{ dims: weight.dims, dtype: 'int8', data: values }, floatTensor(dims, scales), zeros],
      axis,
    );
    if (bias === undefined) return;
    const biasScales = scales.map((one) => one * scale);
    const data = Int32Array.from(bias, (value, row) => Math.round(value / biasScales[row]!));
    node.input[2] = this.#stored(`${name}.bias`, [{ dims, dtype: 'int32', data }, floatTensor(dims, biasScales)], 0);
  }

  /** A stored integer tensor with its DequantizeLinear. */
  #stored(name: string, tensors: readonly OnnxTensor[], axis: number): string {
    const suffixes = ['integer', 'scale', 'zero'];
    const inputs = tensors.map((tensor, i) => this.#store(`${name}.${suffixes[i]}`, tensor));
    this.#added.push(newNode('DequantizeLinear', inputs, `${name}.twin`, [intAttribute('axis', axis)]));
    return `${name}.twin`;
  }

  #store(name: string, tensor: OnnxTensor): string {
    this.#graph.initializer.push(tensorProto(name, tensor));
    return name;
  }
}
