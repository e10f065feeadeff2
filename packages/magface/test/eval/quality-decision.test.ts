import { describe, expect, test } from 'vitest';
import type { PairIdentities } from '../../src/eval/identities.ts';
import { fitQualityDecision, type QualifiedPairs, thresholdFor } from '../../src/eval/quality-decision.ts';
import { randomStream } from '../../src/random.ts';

/** Good pairs part cleanly; poor ones have genuine similarities far lower and, where told, impostors that look alike. */
function pairsWith(poorImpostors: number, seed = 1): QualifiedPairs {
  const random = randomStream(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const same = Uint8Array.from({ length: 8000 }, (_, i) => (i % 4 === 0 ? 1 : 0));
  const quality = Float64Array.from({ length: 8000 }, random);
  const similarities = Float64Array.from(same, (genuine, i) => {
    const poor = quality[i]! < 1 / 3;
    if (genuine === 1) return (poor ? 0.45 : 0.6) + 0.1 * normal();
    return poor ? poorImpostors + 0.14 * normal() : 0.1 * normal();
  });
  return { similarities, same, quality };
}

/** Genuine pairs of people of their own; each impostor pair shares a person with the next. */
const strangers: PairIdentities = {
  left: Uint32Array.from({ length: 8000 }, (_, i) => i),
  right: Uint32Array.from({ length: 8000 }, (_, i) => (i % 4 === 0 ? i : (i + 1) % 8000)),
  count: 8000,
  from: 'pairs',
};

describe('fitQualityDecision', () => {
  test('accepts more on held-out folds by quality bins if poor pairs look alike', () => {
    const decision = fitQualityDecision(pairsWith(0.25), strangers, { fmr: 0.01, replicates: 100 });
    expect(decision.better).toBe(true);
    expect(decision.heldOutTar.binned).toBeGreaterThan(decision.heldOutTar.plain + 0.01);
    expect(decision.bins[0]!.threshold).toBeGreaterThan(decision.bins[2]!.threshold + 0.05);
    expect(thresholdFor(decision.bins, -5)).toBe(decision.bins[0]!.threshold);
    expect(thresholdFor(decision.bins, decision.bins[1]!.from)).toBe(decision.bins[1]!.threshold);
    expect(thresholdFor(decision.bins, 5)).toBe(decision.bins[2]!.threshold);
  });

  test('does not call a gain better that chance explains', () => {
    const decision = fitQualityDecision(pairsWith(0.15), strangers, { fmr: 0.01, replicates: 100 });
    expect(decision.heldOutTar.binned).toBeGreaterThan(decision.heldOutTar.plain);
    expect(decision.gainInterval[0]).toBeLessThan(0);
    expect(decision.better).toBe(false);
  });

  test('finds no gain if quality says nothing', () => {
    const pairs = pairsWith(0);
    const random = randomStream(9);
    const noise = { ...pairs, quality: pairs.quality.map(random) };
    const { better, heldOutTar, gainInterval } = fitQualityDecision(noise, strangers, { fmr: 0.01, replicates: 100 });
    expect(better).toBe(false);
    const gain = heldOutTar.binned - heldOutTar.plain;
    expect(gainInterval[0]).toBeLessThanOrEqual(gain);
    expect(gainInterval[1]).toBeGreaterThanOrEqual(gain);
  });

  test('keeps the rate on the pairs that the bins were fitted on', () => {
    const { similarities, same, quality } = pairsWith(0.15);
    const { bins } = fitQualityDecision({ similarities, same, quality }, strangers, { fmr: 0.01, replicates: 100 });
    const passed = similarities.filter((s, i) => same[i] === 0 && s >= thresholdFor(bins, quality[i]!)).length;
    expect(passed).toBeLessThanOrEqual(60);
  });

  test.each([
    [{ bins: 1 }, 'Expected at least two quality bins'],
    [{ fmr: 1e-4 }, 'Expected at least 10000 impostor pairs'],
    [{ folds: 1 }, 'Expected 2 to 8000 folds'],
  ])('rejects %o', (options, message) => {
    expect(() => fitQualityDecision(pairsWith(0), strangers, options)).toThrow(message);
  });
});
