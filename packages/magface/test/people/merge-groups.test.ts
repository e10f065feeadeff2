/** The parts of merging: the heap, the counted comparisons, and scores. */
import { expect, test } from 'vitest';
import { impostorLaw } from '../../src/false-match-rate.ts';
import type { LikelihoodModel } from '../../src/likelihood-ratio.ts';
import { createComparisons } from '../../src/people/comparisons.ts';
import { createEdgeHeap } from '../../src/people/edge-heap.ts';
import { faceWeight, leastSimilarityFor, reliabilityOf, scoreOf, similarityFor } from '../../src/people/evidence.ts';
import { randomStream } from '../../src/random.ts';

const law = impostorLaw([
  { fmr: 0.01, threshold: 0.25 },
  { fmr: 0.0001, threshold: 0.4 },
]);

test('the heap gives thousands of edges by score, and equals by their groups', () => {
  const random = randomStream(3);
  const heap = createEdgeHeap();
  const edges = Array.from({ length: 3000 }, (_, k) => ({
    ...{ score: Math.floor(random() * 200), a: Math.floor(random() * 50), b: 50 + k, versions: k },
  }));
  for (const edge of edges) heap.push(edge);
  const taken = [];
  for (let best = heap.peek(); best !== undefined; best = heap.peek()) {
    taken.push(best);
    heap.pop();
  }
  expect(taken).toEqual(edges.toSorted((x, y) => y.score - x.score || x.a - y.a || x.b - y.b));
  heap.pop();
  expect(heap.size).toBe(0);
});

test('counts how many pairs reach a score by chance, as groups come and go', () => {
  const comparisons = createComparisons(law);
  for (const r of [0.8, 0.8, 0.8, 0.4]) comparisons.add(r);
  const rate = (rho: number, score: number) => law.rateAt(Math.max(0.25, similarityFor(score, rho, law.dimension)));
  expect(comparisons.expectedAt(5)).toBeCloseTo(3 * rate(0.64, 5) + 3 * rate(0.32, 5), 12);
  const score = comparisons.scoreAt(1e-4);
  expect(comparisons.expectedAt(score) / 1e-4).toBeCloseTo(1, 4);
  comparisons.remove(0.4);
  comparisons.remove(0.8);
  expect(comparisons.expectedAt(5)).toBeCloseTo(rate(0.64, 5), 12);
  expect(comparisons.scoreAt(1)).toBe(0);
});

const faces = (similarity: number, evidence: number, count = 1) => [
  { faces: { length: count }, sum: Float32Array.of(1, 0), length: 1, evidence },
  { faces: { length: count }, sum: Float32Array.of(similarity, Math.sqrt(1 - similarity ** 2)), length: 1, evidence },
];

test('a score is the similarity that it needs, and no pair of it is below the least', () => {
  for (const evidence of [0.2, 1, 3])
    for (const similarity of [0.3, 0.5, 0.8]) {
      const [a, b] = faces(similarity, evidence);
      const score = scoreOf(a!, b!, law);
      const rho = reliabilityOf(a!) * reliabilityOf(b!);
      expect(similarityFor(score, rho, law.dimension)).toBeCloseTo(similarity, 6);
      if (score > 0) expect(leastSimilarityFor(score, law.dimension)).toBeLessThanOrEqual(similarity + 1e-9);
    }
  const [a, b] = faces(0.2, 1);
  expect(scoreOf(a!, b!, law)).toBe(Number.NEGATIVE_INFINITY);
});

test('evidence makes a direction certain', () => {
  const [few] = faces(1, 2);
  expect(reliabilityOf(few!)).toBeCloseTo(Math.sqrt(2 / 3), 12);
  expect(reliabilityOf({ evidence: 1000 })).toBeGreaterThan(0.999);
});

test('a magnitude beyond those of the reference faces counts as the nearest of them', () => {
  const record: LikelihoodModel = {
    ...{ weights: [0, 1, 0, 0], covariance: [], ratios: [0.1, 10], source: 'made up' },
    ...{ magnitudes: [2, 4], agreement: [-3, 1] },
  };
  expect(faceWeight(9, record)).toEqual(faceWeight(4, record));
  expect(faceWeight(4, record).evidence).toBeGreaterThan(faceWeight(2, record).evidence);
  expect(faceWeight(3, undefined).weight).toBe(3);
  expect(faceWeight(0, record).weight).toBe(0);
});
