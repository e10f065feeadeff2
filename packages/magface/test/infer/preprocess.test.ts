import { expect, test } from 'vitest';
import { inputFiller } from '../../src/infer/session.ts';

const pixels = { data: Uint8Array.of(10, 20, 30, 40, 50, 60), width: 2, height: 1 };
const common = { width: 2, height: 1, mean: [10, 0, 0], scale: [0.5, 1, 2] } as const;

test.each([
  ['NCHW', 'RGB', [0, 15, 20, 50, 60, 120]],
  ['NCHW', 'BGR', [10, 25, 20, 50, 20, 80]],
  ['NHWC', 'RGB', [0, 20, 60, 15, 50, 120]],
] as const)("%s %s: (pixel - mean) * scale in the model's channel order", (layout, channelOrder, expected) => {
  const target = new Float32Array(8);
  inputFiller({ ...common, layout, channelOrder })(pixels, target, 1);
  expect([...target]).toEqual([0, ...expected, 0]);
});

test('mirrors left and right', () => {
  const target = new Float32Array(6);
  inputFiller({ ...common, layout: 'NCHW', channelOrder: 'RGB' })(pixels, target, 0, true);
  expect([...target]).toEqual([15, 0, 50, 20, 120, 60]);
});

test('rejects a face of another size', () => {
  const fill = inputFiller({ ...common, width: 3, layout: 'NCHW', channelOrder: 'RGB' });
  expect(() => fill(pixels, new Float32Array(9), 0)).toThrow(/3x1 pixels but received 2x1/);
});
