/** Which steps become one, and which must not. */
import { expect, test } from 'vitest';
import { fuseForward, type OpenStep } from '../../../src/graph/torch/fuse-forward.ts';

const unbounded = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;
const ones = Float32Array.of(1, 1);
const none = Float32Array.of(0, 0);
const some = Float32Array.of(0.5, 0.25);

const convolution = (reads: string, writes: string): OpenStep => ({
  ...{ kind: 'convolution', reads: [reads], writes, weight: new Float32Array(4), shape: [2, 2, 1, 1], bias: none },
  ...{ strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0], groups: 1, limits: unbounded },
});
const line = (reads: string, writes: string, scale = some, slope?: Float32Array): OpenStep => ({
  ...{ kind: 'affine', reads: [reads], writes, scale, offset: none, slope },
});
const add = (a: string, b: string, writes: string): OpenStep => ({ kind: 'add', reads: [a, b], writes });
const relu = (reads: string, writes: string): OpenStep => ({
  ...{ kind: 'clamp', reads: [reads], writes, limits: [0, Number.POSITIVE_INFINITY] },
});
const kinds = (steps: readonly OpenStep[]): string[] => steps.map(({ kind }) => kind);

test('a block of an iResNet is two convolutions: its BatchNorm, PReLU and sum go into them', () => {
  const block = [
    line('x', 'normal'),
    convolution('normal', 'first'),
    line('first', 'bent', ones, some),
    convolution('bent', 'second'),
    add('second', 'x', 'y'),
  ];
  expect(fuseForward(block, 'y')).toMatchObject([
    { kind: 'convolution', reads: ['x'], writes: 'bent', prologue: { scale: some, offset: none }, slope: some },
    { kind: 'convolution', reads: ['bent', 'x'], writes: 'y' },
  ]);
});

test('what others read, bends, scales, or is the output stays a step of its own', () => {
  const read = [line('x', 'a'), convolution('a', 'b'), add('a', 'b', 'y')];
  expect(kinds(fuseForward(read, 'y'))).toEqual(['affine', 'convolution']);
  const bends = [line('x', 'a', some, some), convolution('a', 'y')];
  expect(kinds(fuseForward(bends, 'y'))).toEqual(['affine', 'convolution']);
  const scales = [convolution('x', 'a'), line('a', 'y', some, some)];
  expect(kinds(fuseForward(scales, 'y'))).toEqual(['convolution', 'affine']);
  const output = [convolution('x', 'a'), line('a', 'y', ones, some)];
  expect(kinds(fuseForward(output, 'a'))).toEqual(['convolution', 'affine']);
});

test('limits and PReLU behind one convolution: the first alone goes into it', () => {
  const limited = [convolution('x', 'a'), relu('a', 'b'), line('b', 'y', ones, some)];
  expect(kinds(fuseForward(limited, 'y'))).toEqual(['convolution', 'affine']);
  const bent = [convolution('x', 'a'), line('a', 'b', ones, some), relu('b', 'y')];
  expect(kinds(fuseForward(bent, 'y'))).toEqual(['convolution', 'clamp']);
});
