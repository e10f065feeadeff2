import { arange, fromArray, invoke, operator, TorchError, zeros } from '@magface/torch';
import { expect, test } from 'vitest';
import { describeWithTorch } from './support/with-torch.ts';

describeWithTorch('tensors', () => {
  test('share the memory of the typed array they are made from, both ways', () => {
    const values = new Float32Array([1, 2, 3, 4, 5, 6]);
    const x = fromArray(values, [2, 3]);
    x.mul_(10);
    expect([...values]).toEqual([10, 20, 30, 40, 50, 60]);
    values[0] = -1;
    expect(x.toArray()[0]).toBe(-1);
  });

  test('return their own memory as a view, and a copy by toArray', () => {
    const x = zeros([3]);
    const view = x.view();
    const copy = x.toArray();
    x.add_(2);
    expect([...view]).toEqual([2, 2, 2]);
    expect([...copy]).toEqual([0, 0, 0]);
    expect(x.view()).toBe(view);
  });

  test('keep types and shapes, with whole numbers whole', () => {
    const x = arange(6, { dtype: 'int64' }).reshape([2, 3]);
    expect(x.shape).toEqual([2, 3]);
    expect(x.size(-1)).toBe(3);
    expect(x.add(1).dtype).toBe('int64');
    expect(x.mul(0.5).dtype).toBe('float32');
    expect(x.to({ dtype: 'bfloat16' }).toArray()).toEqual(new Float32Array([0, 1, 2, 3, 4, 5]));
    expect(x.gt(2).toArray()).toEqual(new Uint8Array([0, 0, 0, 1, 1, 1]));
  });

  test('call operators without a typed method', () => {
    const x = fromArray(new Float32Array([0, 0.5]));
    const y = invoke(operator('aten::erf'), [x]).toArray();
    expect(y[1]).toBeCloseTo(0.5204999, 6);
    expect(() => invoke(operator('aten::no_such'), [x])).toThrow(/no operator of this name/);
  });

  test('say which operator rejected which shapes, and keep both stacks', () => {
    const x = zeros([2, 3]);
    let caught: unknown;
    try {
      x.matmul(x);
    } catch (error) {
      caught = error;
    }
    expect(caught).toBeInstanceOf(TorchError);
    const error = caught as TorchError;
    expect(error.operator).toBe('aten::matmul');
    expect(error.message).toBe(
      'aten::matmul(float32[2, 3], float32[2, 3]): mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)',
    );
    expect(error.nativeStack).toContain('c10::Error');
    expect(error.stack).toContain('tensor.test.ts');
  });

  test('reject an argument of the wrong kind by its name', () => {
    const wrong = 'two' as unknown as number;
    expect(() => zeros([2]).conv2d(zeros([1]), { groups: wrong })).toThrow(
      'aten::conv2d(): argument "groups" must be int, received a string',
    );
    expect(() => fromArray(new Float32Array(5), [2, 3])).toThrow('Expected 6 values for shape (2, 3) but received 5');
  });
});
