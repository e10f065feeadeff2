/** Looks up parts of an ONNX graph, and builds new ones. */
import { create } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProtoSchema,
  type GraphProto,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
} from './onnx/onnx_pb.ts';
import { dtypeCode, floatTensor, integersOf, type OnnxTensor, tensorOf, tensorProto } from './onnx/tensor.ts';

/** A graph with an index of the nodes that write and read each value. */
export interface GraphIndex {
  readonly graph: GraphProto;
  /** The node that writes each value. */
  readonly producer: Map<string, NodeProto>;
  /** The nodes that read each value; a node that reads it twice is listed twice. */
  readonly readers: Map<string, readonly NodeProto[]>;
  /** Names of the graph's inputs, without weights. */
  readonly inputs: readonly string[];
  readonly outputs: ReadonlySet<string>;
  /** @returns the value of an initializer or Constant; undefined for a computed value */
  readonly constant: (name: string | undefined) => OnnxTensor | undefined;
  /** Adds an initializer to the graph, or replaces the one of that name. @returns its name */
  readonly store: (name: string, tensor: OnnxTensor) => string;
}

/** @param file - for messages about damaged tensors */
export function indexGraph(graph: GraphProto, file: string): GraphIndex {
  const stored = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
  const producer = new Map<string, NodeProto>();
  const readers = new Map<string, readonly NodeProto[]>();
  for (const node of graph.node) {
    for (const name of node.output) producer.set(name, node);
    for (const name of node.input) readers.set(name, [...(readers.get(name) ?? []), node]);
  }
  return {
    graph,
    producer,
    readers,
    inputs: graph.input.map(({ name }) => name).filter((name) => !stored.has(name)),
    outputs: new Set(graph.output.map(({ name }) => name)),
    constant: (name = '') => {
      const tensor = stored.get(name);
      if (tensor !== undefined) return tensorOf(tensor, file);
      const node = producer.get(name);
      return node?.opType === 'Constant' ? constantValue(node, file) : undefined;
    },
    store: (name, tensor) => {
      const proto = tensorProto(name, tensor);
      const old = stored.get(name);
      if (old === undefined) graph.initializer.push(proto);
      stored.set(name, Object.assign(old ?? proto, proto));
      return name;
    },
  };
}

/** The value of a Constant in any of its forms; undefined if it is not numeric. */
function constantValue({ attribute }: NodeProto, file: string): OnnxTensor | undefined {
  const value = attribute.find(({ name }) => name.startsWith('value'));
  switch (value?.name) {
    case 'value':
      return value.t && tensorOf(value.t, file);
    case 'value_int':
      return { dims: [], dtype: 'int64', data: BigInt64Array.of(value.i) };
    case 'value_ints':
      return { dims: [value.ints.length], dtype: 'int64', data: BigInt64Array.from(value.ints) };
    case 'value_float':
      return floatTensor([], Float32Array.of(value.f));
    case 'value_floats':
      return floatTensor([value.floats.length], Float32Array.from(value.floats));
    default:
      return undefined;
  }
}

/** Turns Constants into initializers, so that all weights are read the same way. */
export function constantsToInitializers(graph: GraphProto, file: string): void {
  const stays = (node: NodeProto): boolean => {
    const value = node.opType === 'Constant' ? constantValue(node, file) : undefined;
    if (value !== undefined) graph.initializer.push(tensorProto(node.output[0]!, value));
    return value === undefined;
  };
  graph.node = graph.node.filter(stays);
}

/** @returns the attribute's integers, or undefined if the operator's default applies */
export function intsOf(node: NodeProto, name: string): number[] | undefined {
  return node.attribute.find((attribute) => attribute.name === name)?.ints.map(Number);
}

/** @returns the attribute's integer, or the operator's default */
export function intOf(node: NodeProto, name: string, standard: number): number {
  const found = node.attribute.find((attribute) => attribute.name === name);
  return found === undefined ? standard : Number(found.i);
}

/** @returns the axis of the output channels in the weight of a Conv, Gemm or MatMul */
export const outputAxis = (node: NodeProto): 0 | 1 =>
  node.opType === 'Conv' || intOf(node, 'transB', 0) === 1 ? 0 : 1;

/** @returns the attribute's number, or the operator's default */
export function floatOf(node: NodeProto, name: string, standard: number): number {
  return node.attribute.find((attribute) => attribute.name === name)?.f ?? standard;
}

/** @returns the attribute's text, or the operator's default */
export function textOf(node: NodeProto, name: string, standard: string): string {
  const found = node.attribute.find((attribute) => attribute.name === name);
  return found === undefined ? standard : new TextDecoder().decode(found.s);
}

/** @returns axes from the attribute (old opsets) or the input (new ones); undefined if there are none, null if computed */
export function axesOf(node: NodeProto, index: GraphIndex): number[] | undefined | null {
  const attribute = intsOf(node, 'axes');
  if (attribute !== undefined || node.input[1] === undefined || node.input[1] === '') return attribute;
  const constant = index.constant(node.input[1]);
  return constant === undefined ? null : integersOf(constant);
}

/** @returns a node named after its first output */
export function newNode(
  opType: string,
  input: readonly string[],
  output: string,
  attribute: AttributeProto[] = [],
): NodeProto {
  return create(NodeProtoSchema, { opType, name: output, input: [...input], output: [output], attribute });
}

/** An integer attribute. */
export function intAttribute(name: string, i: number): AttributeProto {
  return create(AttributeProtoSchema, { name, i: BigInt(i), type: 2 });
}

/** An attribute of several integers. */
export function intsAttribute(name: string, values: readonly number[]): AttributeProto {
  return create(AttributeProtoSchema, { name, ints: values.map(BigInt), type: 7 });
}

/** A number as an attribute; a file holds it as float32. */
export function floatAttribute(name: string, f: number): AttributeProto {
  return create(AttributeProtoSchema, { name, f, type: 1 });
}

/** A text as an attribute. */
export function stringAttribute(name: string, text: string): AttributeProto {
  return create(AttributeProtoSchema, { name, s: new TextEncoder().encode(text), type: 3 });
}

/** A Cast of a value. */
export function castNode(input: string, output: string, to: 'float16' | 'float32'): NodeProto {
  return newNode('Cast', [input], output, [intAttribute('to', dtypeCode(to))]);
}

/** The opset of ONNX's own operators. */
export function opsetOf(imports: readonly { domain: string; version: bigint }[]): number {
  return Number(imports.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version ?? 1n);
}

/**
 * @param from - a value that is given, so that what it depends on is not needed
 * @returns the nodes that the value depends on, in their order
 */
export function neededNodes(nodes: readonly NodeProto[], value: string, from?: string): NodeProto[] {
  const wanted = new Set([value]);
  const needed = nodes.toReversed().filter((node) => {
    const isWanted = node.output.some((output) => wanted.has(output) && output !== from);
    if (isWanted) for (const input of node.input) wanted.add(input);
    return isWanted;
  });
  return needed.reverse();
}

/** The value `embedding`, or else the graph's first output. */
export function embeddingOf({ output }: GraphProto): string {
  return (output.find(({ name }) => name === 'embedding') ?? output[0]!).name;
}

/** Sorts nodes topologically. */
export function sortNodes(graph: GraphProto): void {
  const made = new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node] as const)));
  const done = new Set<NodeProto>();
  const sorted: NodeProto[] = [];
  for (const root of graph.node) {
    const stack = [root];
    while (stack.length > 0) {
      const node = stack[stack.length - 1]!;
      const open = done.has(node)
        ? []
        : node.input.map((name) => made.get(name)).filter((from) => from !== undefined && !done.has(from));
      if (open.length > 0 && stack.length <= graph.node.length) {
        stack.push(open[0]!);
        continue;
      }
      if (!done.has(node)) sorted.push(node);
      done.add(node);
      stack.pop();
    }
  }
  graph.node = sorted;
}

/** Removes weights that no node reads. */
export function dropUnread(graph: GraphProto): void {
  const read = new Set([...graph.node.flatMap(({ input }) => input), ...graph.output.map(({ name }) => name)]);
  const inSubgraphs = graph.node.some(({ attribute }) => attribute.some(({ g, graphs }) => g ?? graphs.length > 0));
  if (inSubgraphs) return; // subgraphs read by name, too
  const isRead = ({ name }: TensorProto): boolean => read.has(name);
  const dropped = new Set(graph.initializer.filter((tensor) => !isRead(tensor)).map(({ name }) => name));
  graph.initializer = graph.initializer.filter(isRead);
  graph.node = graph.node.filter(({ opType, output }) => opType !== 'Constant' || read.has(output[0]!));
  graph.input = graph.input.filter(({ name }) => !dropped.has(name));
}
