import { expect, test } from 'vitest';
import { commonDirections, fitAgreement } from '../../src/eval/fit-agreement.ts';
import { expectedDirections } from '../../src/people/directions.ts';
import { randomStream } from '../../src/random.ts';

const dimension = 64;

/** Faces whose cosine to their person's direction is r = 1 / (1 + exp(3 − a)), a being their magnitude. */
function madeUp() {
  const random = randomStream(5);
  const gaussian = (): number => random() + random() + random() + random() - 2;
  const unit = (row: Float64Array): Float64Array => {
    const length = Math.hypot(...row);
    return row.map((value) => value / length);
  };
  const people: string[] = [];
  const embeddings: Float32Array[] = [];
  for (let k = 0; k < 60; k++) {
    const person = unit(Float64Array.from({ length: dimension }, gaussian));
    for (let i = 0; i < 8; i++) {
      const magnitude = 1.5 + 3.5 * random();
      const r = 1 / (1 + Math.exp(3 - magnitude));
      const noise = unit(Float64Array.from({ length: dimension }, gaussian));
      const row = unit(noise.map((value, d) => Math.sqrt(1 - r * r) * value + r * person[d]!));
      people.push(`p${k}`);
      embeddings.push(Float32Array.from(row, (value) => magnitude * value));
    }
  }
  return { people, embeddings };
}

test('finds how the agreement grows with the magnitude', () => {
  const [g0, g1] = fitAgreement(madeUp());
  expect(g0).toBeCloseTo(-3, 0);
  expect(g1).toBeCloseTo(1, 0);
});

test('refuses faces without pairs of one person', () => {
  const { embeddings } = madeUp();
  expect(() => fitAgreement({ embeddings, people: embeddings.map((_, k) => `p${k}`) })).toThrow('agree better');
});

test('finds what ordinary and poor faces have in common', () => {
  const calibration = { centre: 4, width: 1, source: 'made up' };
  const along = (axis: number, length: number, other: number) => {
    const row = new Float32Array(4);
    row[axis] = length;
    row[other] = 0.2 * length * (other === 2 ? 1 : -1);
    return row;
  };
  const embeddings = [along(0, 5, 2), along(0, 5, 3), along(1, 1, 2), along(1, 1, 3)];
  const [ordinary, poor] = expectedDirections(commonDirections({ embeddings }, calibration), 4);
  expect(ordinary![0]).toBeGreaterThan(0.95);
  expect(poor![1]).toBeGreaterThan(0.95);
});
