/** A trained network as an ONNX file that carries its own contract. BatchNorm is folded where that is exact. Needs no libtorch. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { ShapeError } from '../../errors.ts';
import { type Architecture, inputValue, type Weights } from '../../graph/networks/builder.ts';
import { setMetadata } from '../../graph/onnx/file.ts';
import { type ModelProto, ModelProtoSchema, type ValueInfoProtoSchema } from '../../graph/onnx/onnx_pb.ts';
import { floatTensor, tensorProto } from '../../graph/onnx/tensor.ts';
import { simplify } from '../../graph/passes/simplify.ts';
import {
  type AlignerContract,
  contractMetadata,
  type LandmarkerContract,
  officialInput,
  type RecogniserContract,
} from '../../models/contract.ts';
import { addMagnitude, rename } from './write-graph.ts';

/** What the contract says beside input and length, which the network knows. */
export type ExportOptions = Pick<RecogniserContract, 'calibration' | 'thresholds' | 'licence'>;

/**
 * @param weights - by PyTorch's names, without `features.` of the whole model
 * @returns the bytes of the file, with the outputs `embedding` (N, D), not normalized, and `magnitude` (N), its L2 norm
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
  readonly contract: RecogniserContract | AlignerContract | LandmarkerContract;
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
  const { width, height } = contract.input;
  const model = modelOf(architecture, weights, [3, height, width]);
  simplify(model, architecture.name);
  rename(model.graph!, model.graph!.output[0]!.name, output);
  if (hasMagnitude) addMagnitude(model);
  setMetadata(model, contractMetadata(contract));
  return toBinary(ModelProtoSchema, model);
}

/**
 * The network as it is, with nothing folded.
 *
 * @param image - sizes of the input: 3, height, width
 * @throws {ShapeError} naming a tensor without weights
 */
export function modelOf(architecture: Architecture, weights: Weights, image: readonly number[]): ModelProto {
  const { name, nodes, tensors, constants, embeddingLength } = architecture;
  const slopes = new Set(nodes.filter(({ opType }) => opType === 'PRelu').map(({ input }) => input[1]));
  const initializer = tensors.map((tensor) => {
    const values = weights.get(tensor.name);
    const dims = slopes.has(tensor.name) ? [...tensor.shape, 1, 1] : tensor.shape;
    if (values !== undefined) return tensorProto(tensor.name, floatTensor(dims, values));
    throw new ShapeError({
      expected: `weights named ${tensor.name}`,
      problem: 'there are none',
      remedy: 'give the arch that they were trained with',
    });
  });
  return create(ModelProtoSchema, {
    irVersion: 8n,
    producerName: 'magface',
    opsetImport: [{ domain: '', version: 17n }],
    graph: {
      name,
      node: nodes.map((node) => ({ ...node, input: [...node.input], output: [...node.output] })),
      initializer: [...initializer, ...constants],
      input: [value(inputValue, ['N', ...image])],
      output: [value(nodes.at(-1)!.output[0]!, ['N', embeddingLength])],
    },
  });
}

function value(name: string, dims: readonly (number | string)[]): MessageInitShape<typeof ValueInfoProtoSchema> {
  const dim = dims.map((size) =>
    typeof size === 'number'
      ? { value: { case: 'dimValue' as const, value: BigInt(size) } }
      : { value: { case: 'dimParam' as const, value: size } },
  );
  return { name, type: { tensorType: { elemType: 1, shape: { dim } } } };
}
