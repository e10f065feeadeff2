import { describe, expect, test } from 'vitest';
import type { FeatureSet } from '../../src/eval/feature-set.ts';
import { cosineAccuracy, foldBounds, officialAccuracy, type Pairs, verify } from '../../src/eval/verification.ts';
import { goldenEvaluation, goldenFeatures, goldenPairs } from './golden.ts';

describe('official features and pairs', () => {
  test('ten folds give the digits that the official script prints', () => {
    const { accuracy, accuracyStd } = officialAccuracy(goldenFeatures('eval/features.list'), goldenPairs());
    expect(accuracy.toFixed(5)).toBe(goldenEvaluation().verification.accuracy.toFixed(5));
    expect(accuracyStd.toFixed(5)).toBe(goldenEvaluation().verification.std.toFixed(5));
  });

  test('adds the exact figures, and names a rate that 750 impostors cannot resolve', () => {
    const result = verify(goldenFeatures('eval/features.list'), goldenPairs());
    expect(result).toMatchObject({ pairs: 1500, genuine: 750, impostor: 750, folds: 10 });
    expect(Object.keys(result.tarAtFar)).toEqual(['0.1', '0.01']);
    expect(result.limits).toEqual([
      'FAR 0.001 needs 1000 impostor pairs but there are only 750.',
      'FAR 0.0001 needs 10000 impostor pairs but there are only 750.',
    ]);
    expect(result.auc).toBeGreaterThan(0.99);
  });
});

/** Four identities on the axes of a plane, two images each; pairs: four genuine, four impostors. */
const axes: FeatureSet = {
  values: Float32Array.from([2, 0, 3, 0.3, 0, 2, 0.3, 3, -2, 0, -3, 0.3, 0, -2, 0.3, -3]),
  dimension: 2,
  names: ['a0', 'a1', 'b0', 'b1', 'c0', 'c1', 'd0', 'd1'],
};
const pairs: Pairs = {
  left: Uint32Array.from([0, 2, 0, 2, 4, 6, 4, 6]),
  right: Uint32Array.from([1, 3, 3, 5, 5, 7, 7, 1]),
  same: Uint8Array.from([1, 1, 0, 0, 1, 1, 0, 0]),
};

describe('verify', () => {
  test('gives accuracy 1 by both protocols, AUC 1 and EER 0 for well separated identities', () => {
    expect(verify(axes, pairs, { folds: 2, far: [0.25] })).toMatchObject({
      accuracy: 1,
      accuracyStd: 0,
      cosineAccuracy: 1,
      auc: 1,
      eer: 0,
      tarAtFar: { '0.25': 1 },
    });
  });

  test.each([
    [1, 'Expected 2 to 8 folds for 8 pairs but received 1'],
    [9, 'Expected 2 to 8 folds for 8 pairs but received 9'],
  ])('rejects %i folds', (folds, message) => {
    expect(() => verify(axes, pairs, { folds })).toThrow(message);
  });

  test('rejects a list without impostors', () => {
    const genuine = { ...pairs, same: new Uint8Array(8).fill(1) };
    expect(() => verify(axes, genuine)).toThrow('none of the 8 pairs is impostor (label 0)');
  });

  test('names a feature of length zero', () => {
    const values = axes.values.slice().fill(0, 4, 6);
    expect(() => verify({ ...axes, values }, pairs)).toThrow('only zeros for "b0" (feature line 3)');
  });

  test('names a feature that is not finite', () => {
    const values = axes.values.slice().fill(Number.NaN, 2, 3);
    expect(() => verify({ ...axes, values }, pairs)).toThrow('not finite for "a1" (feature line 2)');
  });

  test('names a pair outside the features', () => {
    const right = pairs.right.slice().fill(8, 3, 4);
    expect(() => verify(axes, { ...pairs, right })).toThrow(
      'Expected pairs of 8 feature rows but pair 4 refers to row 9',
    );
  });

  test('rejects columns of different lengths', () => {
    expect(() => verify(axes, { ...pairs, left: pairs.left.subarray(1) })).toThrow('7 left, 8 right and 8 labels');
  });
});

test('puts the cosine threshold midway between the two scores that separate the training folds best', () => {
  const similarities = Float64Array.from([0.9, 0.1, 0.5, 0.3, 0.8, 0.2]);
  const { accuracy, folds } = cosineAccuracy(similarities, Uint8Array.from([1, 0, 0, 1, 1, 0]), 3);
  // Fold 1 trains on .8+ .5- .3+ .2-: both .65 and .25 get three of four right, and the stricter one stands.
  expect(folds.map((fold) => fold.threshold)).toEqual([0.65, 0.5, 0.7]);
  expect(folds.map((fold) => fold.accuracy)).toEqual([1, 0, 1]);
  expect(accuracy).toBeCloseTo(2 / 3, 12);
});

test('makes contiguous folds, of which the first take the remainder', () => {
  expect(foldBounds(8, 3)).toEqual([
    { from: 0, to: 3 },
    { from: 3, to: 6 },
    { from: 6, to: 8 },
  ]);
});
