import { fromArray, type Tensor } from '@magface/torch';
import { expect, test } from 'vitest';
import { ShapeError } from '../../../src/errors.ts';
import {
  leastLambdaG,
  type MagFaceOptions,
  magfaceDefaults,
  magfaceLoss,
  marginAt,
} from '../../../src/train/model/magface-loss.ts';
import { fixtureJson } from '../../support/fixtures.ts';
import { describeTraining, u01 } from '../golden.ts';

interface Case {
  readonly tag: string;
  readonly N: number;
  readonly D: number;
  readonly C: number;
  readonly xScale: number;
  readonly la: number;
  readonly ua: number;
  readonly lm: number;
  readonly um: number;
  readonly lambda_g: number;
  readonly scale: number;
  readonly easyMargin: boolean;
  readonly angular: boolean;
  readonly magnitudes: readonly number[];
  readonly lossId: number;
  readonly lossG: number;
  readonly loss: number;
  readonly gradX: readonly number[];
  readonly gradW: readonly number[];
}

function leaf(values: Float32Array, shape: readonly number[]): Tensor {
  const tensor = fromArray(values, shape);
  tensor.requiresGrad = true;
  return tensor;
}

/** Largest difference, relative to the largest expected value. */
function difference(actual: ArrayLike<number | bigint>, expected: readonly number[]): number {
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(Number(actual[i]) - value))) / largest;
}

const optionsOf = (golden: Case): MagFaceOptions => ({
  margin: golden.angular ? 'angular' : 'cosine',
  lowerMagnitude: golden.la,
  upperMagnitude: golden.ua,
  lowerMargin: golden.lm,
  upperMargin: golden.um,
  lambdaG: golden.lambda_g,
  scale: golden.scale,
  easyMargin: golden.easyMargin,
});

describeTraining('the official loss', () => {
  const cases = fixtureJson<Case[]>('golden/loss.json');

  test('there are 13 cases', () => expect(cases).toHaveLength(13));

  test.each(cases)('$tag: parts and gradients to 1e-5', (golden) => {
    const x = leaf(
      u01(`${golden.tag}/x`, golden.N * golden.D).map((u) => (u - 0.5) * golden.xScale),
      [golden.N, golden.D],
    );
    const w = leaf(
      u01(`${golden.tag}/w`, golden.D * golden.C).map((u) => u - 0.5),
      [golden.D, golden.C],
    );
    const labels = BigInt64Array.from(u01(`${golden.tag}/y`, golden.N), (u) => BigInt(Math.floor(u * golden.C)));
    const loss = magfaceLoss(x, w, fromArray(labels), optionsOf(golden));
    loss.total.backward();
    expect(loss.identity.item() / golden.lossId).toBeCloseTo(1, 5);
    expect(loss.regularizer.item() / golden.lossG).toBeCloseTo(1, 5);
    expect(loss.total.item() / golden.loss).toBeCloseTo(1, 5);
    const norms = x.norm(2, 1).toArray();
    expect(difference(norms, golden.magnitudes)).toBeLessThan(1e-5);
    expect(difference(x.grad!.toArray(), golden.gradX)).toBeLessThan(1e-5);
    expect(difference(w.grad!.toArray(), golden.gradW)).toBeLessThan(1e-5);
  });
});

describeTraining('the loss where it could break', () => {
  const labels = fromArray(BigInt64Array.of(0n, 1n));

  test('a center equal to the feature (cos = 1), opposite to it, and an all-zero feature give no NaN', () => {
    for (const margin of ['angular', 'cosine'] as const) {
      for (const easyMargin of [true, false]) {
        const x = leaf(new Float32Array([30, 0, 0, 0]), [2, 2]);
        const w = leaf(new Float32Array([30, -1, 0, 0]), [2, 2]);
        magfaceLoss(x, w, labels, { margin, easyMargin }).total.backward();
        for (const gradient of [x.grad!, w.grad!]) {
          expect([...gradient.toArray()].every((value) => Number.isFinite(Number(value)))).toBe(true);
        }
      }
    }
  });

  test('ArcFace is the constant margin: s · cos(θ + 0.5) by hand', () => {
    const theta = 0.7;
    const x = fromArray(new Float32Array([20, 0]), [1, 2]);
    const w = fromArray(new Float32Array([Math.cos(theta), 0, Math.sin(theta), 1]), [2, 2]); // second center at 90°
    const loss = magfaceLoss(x, w, fromArray(BigInt64Array.of(0n)), {
      lowerMargin: 0.5,
      upperMargin: 0.5,
      lambdaG: 0,
      scale: 8,
    });
    const expected = Math.log(1 + Math.exp(0 - 8 * Math.cos(theta + 0.5)));
    expect(loss.total.item()).toBeCloseTo(expected, 5);
    expect(loss.margins.item()).toBeCloseTo(0.5, 6);
  });

  test('shapes that disagree are refused in one sentence', () => {
    const [x, w] = [fromArray(new Float32Array(4), [2, 2]), fromArray(new Float32Array(6), [3, 2])];
    expect(() => magfaceLoss(x, w, labels)).toThrow(ShapeError);
    expect(() => magfaceLoss(x, w, labels)).toThrow(
      'but received (2, 2), (3, 2) and (2): pass tensors of these shapes.',
    );
  });

  test.each([
    ['features', [4], [2, 3], [2]],
    ['centers', [2, 2], [2], [2]],
    ['labels', [2, 2], [2, 3], [2, 1]],
    ['a label too few', [2, 2], [2, 3], [1]],
  ])('%s of the wrong shape are refused', (_, ...shapes) => {
    const [x, w, y] = shapes.map((shape) => {
      const count = shape.reduce((product, size) => product * size, 1);
      return [new Float32Array(count).fill(1), new BigInt64Array(count), shape] as const;
    });
    const [features, centers] = [fromArray(x![0], x![2]), fromArray(w![0], w![2])];
    expect(() => magfaceLoss(features, centers, fromArray(y![1], y![2]))).toThrow(ShapeError);
  });
});

test('without options the constants are those of the official script run.sh', () => {
  expect(magfaceDefaults).toEqual({
    margin: 'angular',
    lowerMagnitude: 10,
    upperMagnitude: 110,
    lowerMargin: 0.45,
    upperMargin: 0.8,
    lambdaG: 35,
    scale: 64,
    easyMargin: true,
  });
});

test('m(a) for pictures goes straight from l_m at l_a to u_m at u_a', () => {
  const constants = {
    ...magfaceDefaults,
    lowerMagnitude: 10,
    upperMagnitude: 110,
    lowerMargin: 0.25,
    upperMargin: 0.75,
  };
  expect([10, 60, 110].map((a) => marginAt(a, constants))).toEqual([0.25, 0.5, 0.75]);
});

test('the least lambda_g is 22.5867 for the official constants and 29.04 for the cosine script', () => {
  expect(leastLambdaG(magfaceDefaults)).toBeCloseTo(22.5867, 4);
  expect(leastLambdaG({ ...magfaceDefaults, lowerMargin: 0.35 })).toBeCloseTo(29.04, 2);
});
