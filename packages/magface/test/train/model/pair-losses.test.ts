/** Losses over pairs against loops over pairs in double precision (test/fixtures/heads/make_pairs.py). */
import { fromArray, scope } from '@magface/torch';
import { expect, test } from 'vitest';
import { contrastiveLoss, type PairLoss, pairMargins, tripletLoss } from '../../../src/train/model/pair-losses.ts';
import { fixtureJson } from '../../support/fixtures.ts';
import { describeTraining, u01 } from '../golden.ts';
import { difference } from './heads/golden-heads.ts';

interface GoldenPairs {
  readonly name: string;
  readonly n: number;
  readonly d: number;
  readonly people: number;
  readonly loss: PairLoss;
  readonly margin: number;
  readonly value: number;
  readonly grad: readonly number[];
}

const { cases } = fixtureJson<{ cases: GoldenPairs[] }>('heads/pairs.json');

describeTraining('losses over pairs', () => {
  test.each(cases)('$loss of margin $margin, people: $name', ({ name, n, d, people, loss, margin, value, grad }) => {
    using _ = scope();
    const x = fromArray(
      u01(`${name}/x`, n * d).map((u) => u - 0.5),
      [n, d],
    );
    x.requiresGrad = true;
    const labels = fromArray(BigInt64Array.from(u01(`${name}/y`, n), (u) => BigInt(Math.floor(u * people))));
    const total = (loss === 'triplet' ? tripletLoss : contrastiveLoss)(x, labels, margin);
    expect(Number(total.item())).toBeCloseTo(value, 5);
    total.backward();
    const own = x.grad!.toArray() as Float32Array;
    if (grad.every((one) => one === 0)) expect([...own].every((one) => one === 0)).toBe(true);
    else expect(difference(own, grad)).toBeLessThan(1e-4);
  });

  test('two copies of one face have finite gradients', () => {
    using _ = scope();
    const x = fromArray(Float32Array.of(1, 2, 1, 2, -1, 1), [3, 2]);
    x.requiresGrad = true;
    const labels = fromArray(BigInt64Array.of(0n, 1n, 1n));
    tripletLoss(x, labels)
      .add(contrastiveLoss(x, labels, pairMargins.contrastive))
      .backward();
    expect([...(x.grad!.toArray() as Float32Array)].every(Number.isFinite)).toBe(true);
  });
});
