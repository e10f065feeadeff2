/** Curves and areas against published definitions of error versus discard, computed by numpy: fixtures/discard-curves/make.py. */
import { expect, test } from 'vitest';
import { errorVersusReject } from '../../src/eval/reject.ts';
import { fixtureJson } from '../support/fixtures.ts';

interface Pairs {
  readonly same: number[];
  readonly quality: number[];
  readonly similarity: number[];
}

const golden = fixtureJson<{
  readonly fmr: number;
  readonly fixed: Pairs &
    Record<'discards' | 'errors', number[]> &
    Record<'limit' | 'steps' | 'trapezoid' | 'mean' | 'largestStep', number>;
  readonly erc: Pairs & Record<'rates' | 'fnmr', number[]>;
}>('discard-curves/expected.json');

const input = ({ similarity, same, quality }: Pairs) =>
  [Float64Array.from(similarity), Uint8Array.from(same), Float64Array.from(quality)] as const;

test('a fixed threshold by genuine pairs is the EDC of Schlett et al. at every discard, with its partial area', () => {
  const { discards, errors, steps, trapezoid, mean, largestStep, limit } = golden.fixed;
  const curve = errorVersusReject(...input(golden.fixed), {
    fmr: golden.fmr,
    threshold: 'fixed',
    unit: 'genuine',
    rejectRates: discards,
    paucLimit: discards.at(-1)!,
  });
  expect(curve.thresholds[0]).toBeCloseTo(limit, 12);
  curve.fnmr.forEach((fnmr, k) => {
    expect(fnmr, `${k} discarded`).toBeCloseTo(errors[k]!, 12);
  });
  expect(curve.paucArea).toBeCloseTo(trapezoid, 12);
  expect(curve.pauc).toBeCloseTo(mean, 12);
  // Steps and trapezoids over the same points differ by less than the largest step.
  expect(Math.abs(curve.paucArea! - steps)).toBeLessThan(largestStep);
});

test("the exact rule is CR-FIQA's curve of error versus reject", () => {
  const { rates, fnmr } = golden.erc;
  const curve = errorVersusReject(...input(golden.erc), { fmr: golden.fmr, threshold: 'exact', rejectRates: rates });
  curve.fnmr.forEach((value, i) => {
    expect(value, `${rates[i]} rejected`).toBeCloseTo(fnmr[i]!, 12);
  });
});
