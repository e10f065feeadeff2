import fc from 'fast-check';
import { expect, test } from 'vitest';
import { areaUnderRoc, equalErrorRate, pointAtFar, splitScores, tarAt } from '../../src/eval/roc.ts';

const scores = {
  genuine: Float64Array.from([0.2, 0.5, 0.7, 0.9]),
  impostor: Float64Array.from([-0.1, 0, 0.1, 0.2, 0.2, 0.3, 0.4, 0.5, 0.6, 0.65]),
};

test.each([
  [0.1, 0.6, 0.5], // one of ten impostors may pass: 0.65; accepted is what is above 0.6
  [0.2, 0.5, 0.5], // the genuine pair at 0.5 ties with the impostor that must be refused
  [0.3, 0.4, 0.75],
  [0.7, 0.1, 1],
])('finds the exact point at FAR %f just above %f', (far, refused, tar) => {
  const point = pointAtFar(scores, far);
  expect(point.tar).toBe(tar);
  expect(point.threshold).toBeGreaterThan(refused);
  expect(point.threshold - refused).toBeLessThan(1e-15);
});

test('never rejects more genuine pairs than another threshold at the same FAR', () => {
  const list = fc.array(fc.integer({ min: -10, max: 10 }), { minLength: 10, maxLength: 40 });
  fc.assert(
    fc.property(list, list, fc.constantFrom(0.1, 0.25, 0.5), (genuine, impostor, far) => {
      const all = { genuine: Float64Array.from(genuine).sort(), impostor: Float64Array.from(impostor).sort() };
      const { threshold, tar } = pointAtFar(all, far);
      const rate = (values: number[], t: number): number => values.filter((s) => s >= t).length / values.length;
      expect(rate(impostor, threshold)).toBeLessThanOrEqual(far);
      expect(tar).toBeCloseTo(rate(genuine, threshold), 12);
      for (const t of genuine) if (rate(impostor, t) <= far) expect(tarAt(all.genuine, t)).toBeLessThanOrEqual(tar);
    }),
  );
});

test('rejects a rate below one false accept, and says how many pairs it needs', () => {
  expect(() => pointAtFar(scores, 0.001)).toThrow(
    'Expected at least 1000 impostor pairs for a rate of 0.001 but received 10',
  );
  expect(() => pointAtFar(scores, 1)).toThrow('Expected a rate between 0 and 1 but received 1');
});

test('AUC counts ties as half', () => {
  // Wins of .2: 3 and two ties; .5: 7 and one tie; .7 and .9: all ten.
  expect(areaUnderRoc(scores)).toBeCloseTo((3 + 1 + 7 + 0.5 + 10 + 10) / 40, 12);
});

test('EER is where both error rates meet', () => {
  expect(equalErrorRate(scores)).toBeCloseTo((0.3 + 0.25) / 2, 12);
});

test('finds EER between impostors too', () => {
  const rate = (genuine: number[], impostor: number[]): number =>
    equalErrorRate({ genuine: Float64Array.from(genuine), impostor: Float64Array.from(impostor) });
  expect(rate([0, 1], [0.4, 0.6])).toBe(0.5); // at 0.5 one of two each
  expect(rate([0.7, 0.9], [0.1, 0.3])).toBe(0);
  expect(rate([0.1, 0.3], [0.7, 0.9])).toBe(1);
  expect(rate([0.5, 0.5], [0.5, 0.5])).toBe(0.5); // nothing tells them apart
});

test('splits scores by label, ascending', () => {
  expect(splitScores(Float64Array.from([3, 1, 2]), Uint8Array.from([1, 0, 1]))).toEqual({
    genuine: Float64Array.from([2, 3]),
    impostor: Float64Array.from([1]),
  });
});
