/** R processes, each with its part of the batch and of the classes, are one process with all. */
import { threads } from '@magface/torch';
import { beforeAll, expect, test } from 'vitest';
import { describeTraining } from '../golden.ts';
import { type Case, type StepTrace, trace, trainerOf } from './rank-steps.ts';
import { runRanks } from './run-ranks.ts';
import { batchSize, tinyLoss, tinyTrainer } from './tiny.ts';

/** What is compared. */
const cases: Record<string, Omit<Case, 'lossScale'>> = {
  'Mag-ArcFace': {},
  'Mag-CosFace': { loss: { ...tinyLoss, margin: 'cosine' } },
  'a teacher': { taught: true },
  'smoothed labels': { labelSmoothing: 0.2 },
  'the hard margin with dropout': { loss: { ...tinyLoss, easyMargin: false }, dropout: 0.4 },
};

/** traces[rank][case][step] */
async function traces(size: number, of: readonly Case[]): Promise<StepTrace[][][]> {
  const words = of.map((options) => JSON.stringify(options));
  const ranks = await runRanks(new URL('rank-steps.ts', import.meta.url), size, words);
  return ranks.map((printed) => JSON.parse(printed) as StepTrace[][]);
}

/** The greatest difference as a share of the greatest value. */
function difference(actual: readonly number[], expected: readonly number[]): number {
  expect(actual).toHaveLength(expected.length);
  const greatest = Math.max(...expected.map(Math.abs));
  return Math.max(...actual.map((value, i) => Math.abs(value - expected[i]!))) / greatest;
}

describeTraining('parallel training', () => {
  let alone: StepTrace[][];
  beforeAll(() => {
    threads(1);
    alone = Object.values(cases).map((options) => {
      const trainer = trainerOf(options);
      return Array.from({ length: 5 }, (_, step) => trace(trainer, { first: 0, count: batchSize }, step));
    });
  });

  test.each([1, 2, 3, 4])('%i ranks give the losses and gradients of one process, within 1e-5', async (size) => {
    const ranks = await traces(size, Object.values(cases));
    for (const [index, name] of Object.keys(cases).entries()) {
      for (const [step, expected] of alone[index]!.entries()) {
        const parts = ranks.map((rank) => rank[index]![step]!);
        const [first] = parts;
        expect(difference([first!.loss], [expected.loss]), `${name}, step ${step}`).toBeLessThan(1e-5);
        expect(first!.accuracy).toBe(expected.accuracy);
        expect(difference([first!.gradientNorm], [expected.gradientNorm])).toBeLessThan(1e-5);
        expect(difference(first!.backbone.flat(), expected.backbone.flat()), `${name}, ${step}`).toBeLessThan(1e-5);
        expect(
          difference(
            parts.flatMap(({ centers }) => centers),
            expected.centers,
          ),
        ).toBeLessThan(1e-5);
        for (const { backbone, loss } of parts) {
          expect(loss).toBe(first!.loss); // the same bits on every rank
          expect(backbone).toEqual(first!.backbone);
        }
      }
    }
  });

  test('AdamW on 2 ranks: equal weights, to the bit, and the loss of one process', async () => {
    const options = { optimizer: 'adamw', weightDecay: 0.1, taught: true } as const;
    const [first, second] = (await traces(2, [options])).map(([steps]) => steps!);
    expect(second!.map(({ loss }) => loss)).toEqual(first!.map(({ loss }) => loss));
    expect(second!.map(({ backbone }) => backbone)).toEqual(first!.map(({ backbone }) => backbone));
    const trainer = trainerOf(options);
    for (const [step, one] of first!.entries()) {
      const { loss } = trace(trainer, { first: 0, count: batchSize }, step);
      expect(difference([one.loss], [loss]), `step ${step}`).toBeLessThan(1e-3);
    }
  });

  test("2 ranks in bf16 agree to the bit, and with one process to the type's precision", async () => {
    const [first, second] = (await traces(2, [{ precision: 'bf16' }])).map(([steps]) => steps!);
    const trainer = tinyTrainer({ precision: 'bf16' });
    for (const [step, one] of first!.entries()) {
      const { loss } = trace(trainer, { first: 0, count: batchSize }, step);
      expect(difference([one.loss], [loss]), `step ${step}`).toBeLessThan(step === 0 ? 5e-3 : 5e-2);
      expect(second![step]!.backbone).toEqual(one.backbone);
    }
  });
});
