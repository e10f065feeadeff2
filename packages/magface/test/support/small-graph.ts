/** Small ONNX graphs for tests, written as a list of nodes. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { type AttributeProtoSchema, ModelProtoSchema } from '../../src/graph/onnx/onnx_pb.ts';
import { type OnnxTensor, tensorProto } from '../../src/graph/onnx/tensor.ts';

/** A node; the last one's output is the graph's, the first one's first input its input. */
export interface SmallNode {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly output: string;
  readonly int?: Readonly<Record<string, number>>;
  readonly ints?: Readonly<Record<string, readonly number[]>>;
  readonly float?: Readonly<Record<string, number>>;
  readonly text?: Readonly<Record<string, string>>;
}

export interface SmallModelOptions {
  readonly stored?: Readonly<Record<string, OnnxTensor>>;
  /** Sizes of the input, the first of which is free. @default [1, 3, 112, 112] */
  readonly shape?: readonly number[];
  /** @default 17 */
  readonly opset?: number;
}

/** @returns the bytes of the file */
export function onnxModel(nodes: readonly SmallNode[], options: SmallModelOptions = {}): Uint8Array {
  const { stored = {}, shape = [1, 3, 112, 112], opset = 17 } = options;
  const dim = shape.map((size, i) =>
    i === 0
      ? { value: { case: 'dimParam' as const, value: 'N' } }
      : { value: { case: 'dimValue' as const, value: BigInt(size) } },
  );
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ version: BigInt(opset) }],
    graph: {
      name: 'small',
      node: nodes.map((node) => ({
        opType: node.op,
        name: node.output,
        input: [...node.inputs],
        output: [node.output],
        attribute: attributesOf(node),
      })),
      initializer: Object.entries(stored).map(([name, tensor]) => tensorProto(name, tensor)),
      input: [{ name: nodes[0]!.inputs[0]!, type: { tensorType: { elemType: 1, shape: { dim } } } }],
      output: [{ name: nodes.at(-1)!.output, type: { tensorType: { elemType: 1 } } }],
    },
  });
  return toBinary(ModelProtoSchema, model);
}

type Attribute = MessageInitShape<typeof AttributeProtoSchema>;

function attributesOf({ int = {}, ints = {}, float = {}, text = {} }: SmallNode): Attribute[] {
  return [
    ...Object.entries(float).map(([name, f]) => ({ name, f, type: 1 })),
    ...Object.entries(int).map(([name, i]) => ({ name, i: BigInt(i), type: 2 })),
    ...Object.entries(text).map(([name, s]) => ({ name, s: new TextEncoder().encode(s), type: 3 })),
    ...Object.entries(ints).map(([name, values]) => ({ name, ints: values.map(BigInt), type: 7 })),
  ];
}
