/** Every loss beside MagFace with its classes split over three ranks, against double precision. */
import { beforeAll, expect, test } from 'vitest';
import { describeTraining } from '../golden.ts';
import { difference, golden, smoothing } from '../model/heads/golden-heads.ts';
import { temporaryFolder } from '../small-set.ts';
import type { RankResult } from './head-ranks.ts';
import { runRanks } from './run-ranks.ts';

/** (D, K) to (K, D) */
const turned = (values: readonly number[]): number[] =>
  Array.from(
    { length: golden.K * golden.D },
    (_, at) => values[(at % golden.D) * golden.K + Math.floor(at / golden.D)]!,
  );

describeTraining('losses beside MagFace on three ranks', () => {
  let ranks: RankResult[];
  beforeAll(async () => {
    const printed = await runRanks(new URL('head-ranks.ts', import.meta.url), 3, [temporaryFolder()]);
    ranks = printed.map((text) => JSON.parse(text) as RankResult);
  }, 600_000);

  test.each(golden.cases.map((one, index) => ({ ...one, index })))(
    '$loss, spread $spread: values to 1e-5, gradients to 1e-4 of the largest',
    ({ steps, index }) => {
      for (const [step, expected] of steps.entries()) {
        const parts = ranks.map(({ full }) => full[index]![step]!);
        for (const { loss, gradientNorm, marginMean, state } of parts) {
          expect(loss / expected.loss).toBeCloseTo(1, 5);
          expect({ loss, gradientNorm, marginMean, state }).toEqual({
            loss: parts[0]!.loss, // the same bits on every rank
            gradientNorm: parts[0]!.gradientNorm,
            marginMean: parts[0]!.marginMean,
            state: parts[0]!.state,
          });
        }
        const gradX = parts.flatMap((part) => part.gradX);
        const gradW = parts.flatMap((part) => part.gradW);
        expect(difference(gradX, expected.gradX)).toBeLessThan(1e-4);
        expect(difference(gradW, turned(expected.gradW))).toBeLessThan(1e-4);
        const norm = Math.hypot(...expected.gradW, ...expected.gradExtra);
        expect(Math.abs(parts[0]!.gradientNorm / norm - 1)).toBeLessThan(1e-4);
        for (const [key, value] of Object.entries(expected.state)) {
          expect(parts[0]!.state[key]! / value).toBeCloseTo(1, 5);
        }
      }
    },
  );

  test.each(golden.cases.map(({ loss, spread }, index) => ({ loss, spread, index })))(
    '$loss, spread $spread: Partial FC equals the full head, to the bit, if every class is sampled',
    ({ index }) => {
      for (const { full, sampled } of ranks) {
        const withoutCenters = (traces: RankResult['full'][number]) => traces.map(({ gradW: _, ...trace }) => trace);
        expect(withoutCenters(sampled[index]!)).toEqual(withoutCenters(full[index]!));
      }
    },
  );

  test.each(smoothing.map((one, index) => ({ ...one, index })))(
    '$loss with labels smoothed by $smoothing: as PyTorch',
    ({ value, gradX, gradW, index }) => {
      const parts = ranks.map(({ smoothed }) => smoothed[index]!);
      for (const { loss } of parts) expect(loss / value).toBeCloseTo(1, 5);
      const own = (key: 'gradX' | 'gradW') => parts.flatMap((part) => part[key]);
      expect(difference(own('gradX'), gradX)).toBeLessThan(1e-4);
      expect(difference(own('gradW'), turned(gradW))).toBeLessThan(1e-4);
    },
  );

  test('a checkpoint of all ranks restores centers, statistics and trained numbers, to the bit', () => {
    for (const { resumed } of ranks) {
      for (const [name, [wentOn, restored]] of Object.entries(resumed)) expect(restored, name).toEqual(wentOn);
    }
  });
});
