/** Every loss beside MagFace against double precision, in one process; split-heads.test.ts does the same on three ranks. */
import { readFileSync } from 'node:fs';
import { fromArray, noGrad, scope, type Tensor, threads } from '@magface/torch';
import { expect, test } from 'vitest';
import { ConfigError } from '../../../../src/errors.ts';
import { WholeHead } from '../../../../src/train/model/head.ts';
import { constantsOf, lossNames, lossTable, namedLoss } from '../../../../src/train/model/heads/loss-table.ts';
import { normalDraws } from '../../../../src/train/model/heads/normal-draws.ts';
import { type LossOptions, openHead } from '../../../../src/train/model/heads/open-head.ts';
import { headTerms } from '../../../../src/train/model/heads/whole-terms.ts';
import { describeTraining } from '../../golden.ts';
import { difference, golden, goldenInputs, smoothing } from './golden-heads.ts';

const still = { lr: 0, momentum: 0 };

function wholeHead(centers: Tensor, loss: LossOptions): WholeHead<Tensor> {
  const head = openHead(loss, centers.size(1));
  return new WholeHead(centers, { loss: headTerms(head, golden.seed), keeps: head });
}

describeTraining('losses beside MagFace', () => {
  threads(1);

  test('each has golden cases', () => {
    expect(new Set(golden.cases.map(({ loss }) => loss))).toEqual(new Set(lossNames));
  });

  test.each(golden.cases)('$loss, spread $spread: values to 1e-5, gradients to 1e-4 of the largest', (one) => {
    using _ = scope();
    const { x, w, labels } = goldenInputs(one);
    const head = wholeHead(w, { name: one.loss });
    for (const [step, expected] of one.steps.entries()) {
      x.grad = undefined;
      const { loss } = head.backward(x, labels, 1, step);
      expect(loss / expected.loss).toBeCloseTo(1, 5);
      expect(difference(x.grad!.toArray(), expected.gradX)).toBeLessThan(1e-4);
      expect(difference(w.grad!.toArray(), expected.gradW)).toBeLessThan(1e-4);
      const [, extra] = head.optimizer.parameters;
      expect(extra === undefined).toBe(expected.gradExtra.length === 0);
      if (extra !== undefined) expect(difference(extra.grad!.toArray(), expected.gradExtra)).toBeLessThan(1e-4);
      head.step(still);
      for (const [key, value] of Object.entries(expected.state)) {
        expect(head.save().get(`fc.${key}`)!.bytes).toHaveLength(4);
        expect(numberOf(head, key) / value).toBeCloseTo(1, 5);
      }
    }
  });

  test.each(smoothing)('$loss with labels smoothed by $smoothing: as PyTorch', (one) => {
    using _ = scope();
    const { x, w, labels } = goldenInputs(one);
    const loss = headTerms(openHead({ name: one.loss }, golden.K), golden.seed, one.smoothing);
    const result = new WholeHead(w, { loss }).backward(x, labels, 1, 0);
    expect(result.loss / one.value).toBeCloseTo(1, 5);
    expect(difference(x.grad!.toArray(), one.gradX)).toBeLessThan(1e-4);
    expect(difference(w.grad!.toArray(), one.gradW)).toBeLessThan(1e-4);
  });

  test.each(lossNames)('%s: a restored head takes the same steps, to the bit', (name) => {
    using _ = scope();
    const one = golden.cases.find(({ loss }) => loss === name)!;
    const learn = (head: WholeHead<Tensor>, { x, labels }: ReturnType<typeof goldenInputs>, step: number): number => {
      const { loss } = head.backward(x, labels, 1, step);
      head.step({ lr: 0.01, momentum: 0.9, weightDecay: 5e-4 });
      return loss;
    };
    const inputs = goldenInputs(one);
    const head = wholeHead(inputs.w, { name });
    for (const step of [0, 1]) learn(head, inputs, step);
    const again = goldenInputs(one);
    const restored = wholeHead(again.w, { name });
    restored.restore(head.save(), 'a test');
    expect([2, 3].map((step) => learn(restored, again, step))).toEqual([2, 3].map((step) => learn(head, inputs, step)));
  });

  test.each(lossNames)('%s: equal and opposite centers, and a feature of zeros, give no NaN', (name) => {
    using _ = scope();
    const leaf = (values: number[], shape: number[]): Tensor => {
      const tensor = fromArray(Float32Array.from(values), shape);
      tensor.requiresGrad = true;
      return tensor;
    };
    const x = leaf([30, 0, 0, 0, 30, 0], [3, 2]);
    const w = leaf([30, -1, 1, 0, 0, 1], [2, 3]);
    const { loss } = wholeHead(w, { name }).backward(x, fromArray(BigInt64Array.of(0n, 1n, 1n)), 1, 0);
    expect(loss).toSatisfy(Number.isFinite);
    for (const gradient of [x.grad!, w.grad!]) expect([...gradient.toArray()].map(Number)).toSatisfy(areFinite);
  });

  test.each(lossNames)('%s: the loss scale of fp16 scales every gradient, and nothing else', (name) => {
    using _ = scope();
    const one = golden.cases.find(({ loss }) => loss === name)!;
    const gradientsAt = (scale: number): readonly number[][] => {
      const { x, w, labels } = goldenInputs(one);
      const head = wholeHead(w, { name });
      head.backward(x, labels, scale, 0);
      const all = [x, ...head.optimizer.parameters];
      return all.map(({ grad }) => Array.from(grad!.toArray() as Float32Array, (value) => value / scale));
    };
    const plain = gradientsAt(1);
    for (const [i, scaled] of gradientsAt(1024).entries()) expect(difference(scaled, plain[i]!)).toBeLessThan(1e-5);
  });

  test('statistics do not count a step that is skipped', () => {
    using _ = scope();
    const { x, w, labels } = goldenInputs(golden.cases.find(({ loss }) => loss === 'curricularface')!);
    const head = wholeHead(w, { name: 'curricularface' });
    head.backward(x, labels, 1, 0);
    expect(numberOf(head, 't')).toBe(0);
    head.step(still);
    expect(numberOf(head, 't')).not.toBe(0);
  });

  test('margins of AdaM-Softmax stay within 0 and 1', () => {
    using _ = scope();
    const { x, w, labels } = goldenInputs(golden.cases.find(({ loss }) => loss === 'adam-softmax')!);
    const head = wholeHead(w, { name: 'adam-softmax', constants: { lambda: 1e6 } });
    head.backward(x, labels, 1, 0);
    using _grad = noGrad();
    head.step({ lr: 1, momentum: 0 });
    expect(Array.from(head.optimizer.parameters[1]!.toArray(), Number)).toEqual(Array(golden.K).fill(1));
  });
});

const areFinite = (values: readonly number[]): boolean => values.every(Number.isFinite);

const numberOf = (head: WholeHead<Tensor>, key: string): number => {
  const { bytes } = head.save().get(`fc.${key}`)!;
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true);
};

test('constants come from the paper unless they are given, and unknown ones are refused', () => {
  expect(constantsOf(namedLoss('adaface', ['m=0.3']))).toEqual({ s: 64, m: 0.3, h: 0.333, alpha: 0.01 });
  expect(() => namedLoss('cosface', ['h=1'])).toThrow(
    'Expected constants of cosface (s=64 m=0.35) but received h: leave it out.',
  );
  expect(() => namedLoss('adacos', ['s=1'])).toThrow('Expected no constants for adacos but received s');
  expect(() => namedLoss('cosface', ['m'])).toThrow(ConfigError);
});

test('the documentation lists each loss with its constants and source', () => {
  const page = readFileSync(new URL('../../../../../../docs/training.md', import.meta.url), 'utf8');
  for (const name of lossNames) {
    const { constants, paper } = lossTable[name];
    const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
    const written = Object.entries(constants).map(([key, value]) => `${key}=${value}`);
    const [shown, source] = row!.split(' | ').slice(-2);
    expect(shown).toBe(written.length === 0 ? '' : `\`${written.join(' ')}\``);
    expect(source).toBe(`${paper} |`);
  }
});

test('random margins are standard normal, and differ by seed, step and sample', () => {
  const draws = normalDraws(1, 5, 20_000);
  const mean = draws.reduce((sum, value) => sum + value, 0) / draws.length;
  const deviation = Math.sqrt(draws.reduce((sum, value) => sum + (value - mean) ** 2, 0) / draws.length);
  expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(draws.length));
  expect(Math.abs(deviation - 1)).toBeLessThan(4 / Math.sqrt(2 * draws.length));
  expect(new Set([...normalDraws(1, 5, 3), ...normalDraws(1, 6, 3), ...normalDraws(2, 5, 3)]).size).toBe(9);
  expect(normalDraws(1, 5, 3)).toEqual(draws.slice(0, 3));
});
