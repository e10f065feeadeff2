/** ONNX files of one node that multiply rows with rows. */
import { create, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from './onnx_pb.ts';

/** TensorProto.DataType */
const [float, uint8, int8, int32] = [1, 2, 3, 6];

/** @returns a file whose `left` (N, D) times the transpose of `right` (M, D) are `products` (N, M), all float32 */
export function floatProducts(): Uint8Array {
  const attribute = [{ name: 'transB', type: 2, i: 1n }];
  return oneNode({
    node: [{ opType: 'Gemm', input: ['left', 'right'], output: ['products'], attribute }],
    input: [matrix('left', float, ['N', 'D']), matrix('right', float, ['M', 'D'])],
    output: [matrix('products', float, ['N', 'M'])],
  });
}

/** @returns a file whose `left` (N, D) uint8 times `right` (D, M) int8 are `products` (N, M) int32 */
export function byteProducts(): Uint8Array {
  return oneNode({
    node: [{ opType: 'MatMulInteger', input: ['left', 'right'], output: ['products'] }],
    input: [matrix('left', uint8, ['N', 'D']), matrix('right', int8, ['D', 'M'])],
    output: [matrix('products', int32, ['N', 'M'])],
  });
}

function matrix(name: string, elemType: number, names: readonly string[]) {
  const dim = names.map((value) => ({ value: { case: 'dimParam' as const, value } }));
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}

type Graph = NonNullable<MessageInitShape<typeof ModelProtoSchema>['graph']>;

const oneNode = (graph: Graph): Uint8Array =>
  toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, { irVersion: 8n, graph: { name: 'products', ...graph }, opsetImport: [{ version: 14n }] }),
  );
