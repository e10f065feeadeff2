/**
 * A trained network as an ONNX file that carries its own contract: outputs `embedding` (N, D), not normalized, and
 * `magnitude` (N), its L2 norm. BatchNorm is folded where that is exact. Needs no libtorch.
 */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import {
  type AlignerContract,
  contractMetadata,
  officialInput,
  type RecogniserContract,
} from '../../models/contract.ts';
import {
  type AttributeProtoSchema,
  ModelProtoSchema,
  type NodeProtoSchema,
  type TensorProtoSchema,
  type ValueInfoProtoSchema,
} from '../../onnx/onnx_pb.ts';
import { type FoldedNode, foldNetwork, type Weights } from './fold.ts';
import { type Architecture, batchNormEpsilon, inputValue } from './layers.ts';

type Node = MessageInitShape<typeof NodeProtoSchema>;
type Attribute = MessageInitShape<typeof AttributeProtoSchema>;
type Initializer = MessageInitShape<typeof TensorProtoSchema>;

/** What the contract says beside input and length, which the network knows. */
export type ExportOptions = Pick<RecogniserContract, 'calibration' | 'thresholds' | 'licence'>;

const float = 1; // TensorProto.DataType.FLOAT
const int = { int: 2, ints: 7 }; // AttributeProto.AttributeType

/**
 * @param weights - by PyTorch's names, without `features.` of the whole model
 * @returns the bytes of the file
 */
export function exportOnnx(architecture: Architecture, weights: Weights, options: ExportOptions = {}): Uint8Array {
  const { embeddingLength, name } = architecture;
  const contract: RecogniserContract = {
    kind: 'recogniser',
    arch: name,
    input: { ...officialInput, mean: [...officialInput.mean], scale: [...officialInput.scale] },
    template: 'arcface-112',
    embeddingLength,
    ...options,
  };
  // The graph takes the official input as it is: BGR, x / 255.
  return exportNetwork(architecture, weights, { contract, output: 'embedding', hasMagnitude: true });
}

/** Contents of a network's file besides its weights. */
export interface NetworkFile {
  readonly contract: RecogniserContract | AlignerContract;
  /** Name of the network's output, (N, D). */
  readonly output: string;
  /** Whether the output's L2 norm is an output too, `magnitude` (N). */
  readonly hasMagnitude: boolean;
}

/**
 * Exports a network for any purpose; {@link exportOnnx} exports recognisers.
 *
 * @param weights - by PyTorch's names
 * @returns the bytes of the file
 */
export function exportNetwork(architecture: Architecture, weights: Weights, file: NetworkFile): Uint8Array {
  const { contract, output, hasMagnitude } = file;
  const { embeddingLength, name } = architecture;
  const graph = new GraphWriter();
  const nodes = foldNetwork(architecture.layers, weights, batchNormEpsilon);
  for (const [i, node] of nodes.entries()) graph.write(i === nodes.length - 1 ? { ...node, output } : node);
  const outputs = [value(output, ['N', embeddingLength])];
  if (hasMagnitude) {
    graph.node('ReduceL2', [output], 'magnitude', [ints('axes', [1]), integer('keepdims', 0)]);
    outputs.push(value('magnitude', ['N']));
  }
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    producerName: 'magface',
    opsetImport: [{ domain: '', version: 17n }],
    graph: {
      name,
      node: graph.nodes,
      initializer: graph.initializers,
      input: [value(inputValue, ['N', 3, contract.input.height, contract.input.width])],
      output: outputs,
    },
    metadataProps: [...contractMetadata(contract)].map(([key, text]) => ({ key, value: text })),
  });
  return toBinary(ModelProtoSchema, model);
}

class GraphWriter {
  readonly nodes: Node[] = [];
  readonly initializers: Initializer[] = [];

  write(node: FoldedNode): void {
    const { inputs, output } = node;
    const stored = (suffix: string, dims: readonly number[], values: Float32Array): string =>
      this.#store(`${output}.${suffix}`, dims, values);
    switch (node.kind) {
      case 'conv': {
        const { kernel, stride, padding, groups, inChannels, outChannels } = node.layer;
        const weight = stored('weight', [outChannels, inChannels / groups, kernel, kernel], node.weight);
        const bias = stored('bias', [outChannels], node.bias);
        const attributes = [
          ints('kernel_shape', [kernel, kernel]),
          ints('strides', [stride, stride]),
          ints('pads', [padding, padding, padding, padding]),
          integer('group', groups),
        ];
        this.node('Conv', [...inputs, weight, bias], output, attributes);
        break;
      }
      case 'linear': {
        const { inFeatures, outFeatures } = node.layer;
        const weight = stored('weight', [outFeatures, inFeatures], node.weight);
        const bias = stored('bias', [outFeatures], node.bias);
        this.node('Gemm', [...inputs, weight, bias], output, [integer('transB', 1)]);
        break;
      }
      case 'affine': {
        const dims = [node.channels];
        const one = new Float32Array(node.channels).fill(1 - 1e-5); // plus ONNX's own epsilon of 1e-5 it is 1
        const names = [
          stored('scale', dims, node.scale),
          stored('shift', dims, node.shift),
          stored('mean', dims, new Float32Array(node.channels)),
          stored('var', dims, one),
        ];
        this.node('BatchNormalization', [...inputs, ...names], output);
        break;
      }
      case 'prelu':
        this.node('PRelu', [...inputs, stored('slope', [node.slope.length, 1, 1], node.slope)], output);
        break;
      case 'clamp':
        this.#clamp(node);
        break;
      case 'add':
        this.node('Add', inputs, output);
        break;
      case 'flatten':
        this.node('Flatten', inputs, output, [integer('axis', 1)]);
        break;
    }
  }

  #clamp({ inputs, output, highest }: FoldedNode & { kind: 'clamp' }): void {
    if (!Number.isFinite(highest)) {
      this.node('Relu', inputs, output);
      return;
    }
    const limits = [
      this.#store(`${output}.min`, [], Float32Array.of(0)),
      this.#store(`${output}.max`, [], Float32Array.of(highest)),
    ];
    this.node('Clip', [...inputs, ...limits], output);
  }

  node(opType: string, input: readonly string[], output: string, attribute: Attribute[] = []): void {
    this.nodes.push({ opType, name: output, input: [...input], output: [output], attribute });
  }

  #store(name: string, dims: readonly number[], values: Float32Array): string {
    const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    this.initializers.push({ name, dataType: float, dims: dims.map(BigInt), rawData });
    return name;
  }
}

const integer = (name: string, i: number): Attribute => ({ name, i: BigInt(i), type: int.int });
const ints = (name: string, values: readonly number[]): Attribute => ({
  name,
  ints: values.map(BigInt),
  type: int.ints,
});

function value(name: string, dims: readonly (number | string)[]): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = dims.map((size) =>
    typeof size === 'number'
      ? { value: { case: 'dimValue' as const, value: BigInt(size) } }
      : { value: { case: 'dimParam' as const, value: size } },
  );
  return { name, type: { tensorType: { elemType: float, shape: { dim } } } };
}
