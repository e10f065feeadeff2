import { expect, test } from 'vitest';
import { bytesSource } from '../../../src/format/byte-source.ts';
import { parseOnnx, readOnnx } from '../../../src/graph/onnx/file.ts';
import { findFault, initializerOffset } from '../../../src/graph/onnx/wire.ts';
import { node, onnxGraph, wave } from '../../support/onnx-graphs.ts';

const whole = onnxGraph({ nodes: [node('Add input w -> output')], weights: { w: wave([3]) }, input: [3], output: [3] });

test('a whole file has no fault', () => {
  expect(findFault(whole)).toBeUndefined();
});

test('a cut file is told with the field that is cut', async () => {
  const cut = whole.subarray(0, 30);
  const fault = findFault(cut)!;
  expect(fault.what).toMatch(/ends beyond what holds it/);
  await expect(readOnnx(bytesSource(cut, 'm.onnx'))).rejects.toMatchObject({
    code: 'wrong_format',
    offset: fault.offset,
  });
  expect(() => parseOnnx(cut, 'm.onnx')).toThrow(expect.objectContaining({ code: 'model_not_onnx' }));
});

test('a damaged weight is told with its byte', async () => {
  const at = initializerOffset(whole, 0);
  const damaged = Uint8Array.from(whole);
  expect([...damaged.subarray(at, at + 3)]).toEqual([0x0a, 1, 3]); // field 1, packed: dims (3)
  damaged[at + 2] = 4;
  await expect(readOnnx(bytesSource(damaged, 'm.onnx'))).rejects.toMatchObject({
    message: `m.onnx (at byte ${at}): Expected 16 bytes for (4) float32 in the tensor "w" but received 12: export the model again.`,
    offset: at,
  });
});

test('messages in messages without end are refused at once', async () => {
  // graph (7) > node (1) > attribute (5) > g (6) > node …, each with an honest length
  let bytes = new Uint8Array();
  for (let depth = 0; depth < 400; depth++) {
    const field = depth === 399 ? 7 : ([6, 5, 1] as const)[depth % 3]!;
    const length: number[] = [];
    for (let rest = bytes.length; rest > 0 || length.length === 0; rest >>= 7)
      length.push((rest & 127) | (rest > 127 ? 128 : 0));
    bytes = Uint8Array.from([field * 8 + 2, ...length, ...bytes]);
  }
  await expect(readOnnx(bytesSource(bytes, 'm.onnx'))).rejects.toThrow(/messages nested more than 100 deep/);
});
