import { create } from '@bufbuild/protobuf';
import { expect, test } from 'vitest';
import { halfToFloat } from '../../../src/format/tensor.ts';
import { halfBits } from '../../../src/graph/onnx/half.ts';
import { type TensorProto, TensorProtoSchema } from '../../../src/graph/onnx/onnx_pb.ts';
import { floatsOf, type OnnxTensor, tensorOf, tensorProto } from '../../../src/graph/onnx/tensor.ts';

const proto = (dataType: number, dims: readonly number[], values: object): TensorProto =>
  create(TensorProtoSchema, { name: 'w', dataType, dims: dims.map(BigInt), ...values });

// The lists that onnx.proto names for each type, and the same values as raw little-endian bytes.
test.each([
  ['float32', 1, { floatData: [1.5, -2] }, [0, 0, 0xc0, 0x3f, 0, 0, 0, 0xc0], [1.5, -2]],
  ['uint8', 2, { int32Data: [7, 255] }, [7, 255], [7, 255]],
  ['int8', 3, { int32Data: [7, -1] }, [7, 255], [7, -1]],
  ['uint16', 4, { int32Data: [7, 65535] }, [7, 0, 255, 255], [7, 65535]],
  ['int16', 5, { int32Data: [7, -2] }, [7, 0, 254, 255], [7, -2]],
  ['int32', 6, { int32Data: [7, -2] }, [7, 0, 0, 0, 254, 255, 255, 255], [7, -2]],
  ['int64', 7, { int64Data: [7n, -2n] }, [7, 0, 0, 0, 0, 0, 0, 0, 254, 255, 255, 255, 255, 255, 255, 255], [7, -2]],
  ['bool', 9, { int32Data: [1, 0] }, [1, 0], [1, 0]],
  ['float16', 10, { int32Data: [0x3e00, 0xc000] }, [0, 0x3e, 0, 0xc0], [1.5, -2]],
  ['float64', 11, { doubleData: [1.5, -2] }, [0, 0, 0, 0, 0, 0, 0xf8, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0xc0], [1.5, -2]],
  ['uint32', 12, { uint64Data: [7n, 4294967295n] }, [7, 0, 0, 0, 255, 255, 255, 255], [7, 4294967296]],
  ['uint64', 13, { uint64Data: [7n, 9n] }, [7, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0], [7, 9]],
  ['bfloat16', 16, { int32Data: [0x3fc0, 0xc000] }, [0xc0, 0x3f, 0, 0xc0], [1.5, -2]],
  ['uint4', 21, { int32Data: [0xf7] }, [0xf7], [7, 15]],
  ['int4', 22, { int32Data: [0xf7] }, [0xf7], [7, -1]],
] as const)('%s is read from its list and from raw bytes, and written back', (dtype, code, list, raw, values) => {
  const rawData = Uint8Array.from(raw);
  const [listed, packed] = [tensorOf(proto(code, [2], list)), tensorOf(proto(code, [2], { rawData }))];
  expect(listed).toEqual(packed);
  expect(packed).toMatchObject({ dtype, dims: [2] });
  expect([...floatsOf(packed)]).toEqual([...values]);
  expect(tensorProto('w', packed)).toMatchObject({ dataType: code, rawData, dims: [2n] });
});

test.each([
  [
    'too few bytes',
    proto(1, [3], { rawData: new Uint8Array(8) }),
    /12 bytes for \(3\) float32 in the tensor "w" but received 8/,
  ],
  [
    'too many values',
    proto(1, [1], { floatData: [1, 2] }),
    /1 values for \(1\) float32 in the tensor "w" but received 2/,
  ],
  ['a negative size', proto(1, [-1], {}), /possible sizes in the tensor "w" but received \(-1\)/],
  ['sizes beyond memory', proto(1, [2 ** 31, 2 ** 31], {}), /possible sizes/],
  ['texts', proto(8, [1], {}), /a type of numbers in the tensor "w" but received type 8/],
  ['values elsewhere', proto(1, [1], { dataLocation: 1 }), /but they are in another file/],
])('%s are refused, and the tensor named', (_, damaged, message) => {
  expect(() => tensorOf(damaged, 'm.onnx')).toThrow(message);
  expect(() => tensorOf(damaged, 'm.onnx')).toThrow(/^m\.onnx: .*"w"/);
});

test('a scalar has no sizes, an empty tensor no values', () => {
  expect(tensorOf(proto(1, [], { floatData: [3] }))).toEqual({ dims: [], dtype: 'float32', data: Float32Array.of(3) });
  expect(tensorOf(proto(1, [0], {})).data).toHaveLength(0);
  const odd: OnnxTensor = { dims: [3], dtype: 'int4', data: Int8Array.of(-8, 7, -1) };
  expect(tensorOf(tensorProto('w', odd))).toEqual(odd);
});

test('every half there is survives the way to float32 and back', () => {
  const all = Array.from({ length: 0x10000 }, (_, bits) => bits);
  const isNone = (bits: number): boolean => (bits & 0x7c00) === 0x7c00 && (bits & 0x3ff) !== 0;
  expect(all.filter((bits) => !isNone(bits) && halfBits(halfToFloat(bits)) !== bits)).toEqual([]);
});

// numpy.float16(x).view('uint16') of each.
test.each([
  [1 + 2 ** -11, 0x3c00], // a tie goes to even
  [1 + 3 * 2 ** -11, 0x3c02],
  [65519.99, 0x7bff],
  [65520, 0x7c00],
  [2 ** -25, 0],
  [2 ** -25 * 1.01, 1],
  [3 * 2 ** -25, 2],
  [-(2 ** -14) * (1 - 2 ** -11), 0x8400],
  [Number.NaN, 0x7e00],
])('%f becomes half %i', (value, bits) => {
  expect(halfBits(value)).toBe(bits);
});
