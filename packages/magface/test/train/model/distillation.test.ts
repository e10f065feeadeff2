/** The terms of a teacher against PyTorch in double precision, and in training: resumed, in parts, and with what is not finite. */
import { fromArray, scope, threads } from '@magface/torch';
import { expect, test } from 'vitest';
import { float32Tensor } from '../../../src/format/tensor.ts';
import type { StepResult } from '../../../src/train/loop/learner.ts';
import { LossScale } from '../../../src/train/loop/loss-scale.ts';
import type { Trainer, TrainerOptions } from '../../../src/train/loop/trainer.ts';
import { Distillation, type Teacher } from '../../../src/train/model/distillation.ts';
import { Ranks } from '../../../src/train/parallel/ranks.ts';
import { fixtureJson } from '../../support/fixtures.ts';
import { describeTraining, u01 } from '../golden.ts';
import { batchSize, tinyBatch, tinyTeacher, tinyTrainer } from '../parallel/tiny.ts';
import { difference } from './heads/golden-heads.ts';

const { cases } = fixtureJson<{
  readonly cases: readonly {
    readonly projected: boolean;
    readonly weight: number;
    readonly logits: number;
    readonly value: number;
    readonly gradX: readonly number[];
    readonly gradP: readonly number[];
  }[];
}>('distillation/distillation.json');

const centred = (name: string, count: number): Float32Array => u01(name, count).map((u) => u - 0.5);

/** Rows of a matrix, or its columns, of length one. */
function unit(
  values: Float32Array,
  [rows, columns]: readonly [number, number],
  along: 'rows' | 'columns',
): Float32Array {
  const group = (at: number): number => (along === 'rows' ? Math.floor(at / columns) : at % columns);
  const squares = new Float64Array(Math.max(rows, columns));
  for (const [at, value] of values.entries()) squares[group(at)]! += value ** 2;
  return values.map((value, at) => value / Math.sqrt(squares[group(at)]!));
}

const teacher: Teacher = {
  directions: unit(centred('distil/t', 20), [5, 4], 'rows'),
  centers: unit(centred('distil/c', 12), [4, 3], 'columns'),
  dimension: 4,
};

describeTraining('a teacher', () => {
  threads(1);

  test.each(cases)(
    'as PyTorch, by parts and with a loss scale: projected $projected, weights $weight and $logits',
    (one) => {
      using _ = scope();
      const width = one.projected ? 6 : 4;
      const common = { teacher, weight: one.weight, logits: one.logits, dimension: width, seed: 1, ranks: new Ranks() };
      const own = new Distillation(common);
      own.restore(new Map([['teacher.projection', float32Tensor([6, 4], centred('distil/p', 24))]]));
      const features = fromArray(centred(`distil/x${width}`, 5 * width), [5, width]);
      const pull = (first: number, count: number, lossScale: number) =>
        own.pull(
          features.narrow(0, first, count),
          Uint32Array.from({ length: count }, (__, i) => first + i),
          {
            total: 5,
            lossScale,
            adds: first > 0,
          },
        );
      const [a, b] = [pull(0, 2, 64), pull(2, 3, 64)];
      expect((a.value + b.value) / one.value).toBeCloseTo(1, 5);
      const gradient = [a, b].flatMap((part) => [...part.gradient.toArray()].map((value) => Number(value) / 64));
      expect(difference(gradient, one.gradX)).toBeLessThan(1e-4);
      expect(own.gradientNorm() / 64).toBeCloseTo(Math.hypot(...one.gradP), 4);
      const before = centred('distil/p', 24);
      own.step({ lr: 1, momentum: 0, gradientScale: 1 / 64 });
      const [stepped] = [...own.named()].map(([, tensor]) => tensor.toArray());
      const moved = [...(stepped ?? [])].map((value, i) => before[i]! - Number(value));
      if (one.projected) expect(difference(moved, one.gradP)).toBeLessThan(1e-4);
      else expect(moved).toEqual([]);
    },
  );

  const learn = (trainer: Trainer, step: number): StepResult => {
    using _ = scope();
    const { images, labels } = tinyBatch(step);
    return trainer.learn(
      images,
      labels,
      0.01,
      Uint32Array.from({ length: batchSize }, (__, i) => i),
    );
  };
  const taught = (more: Partial<TrainerOptions> = {}): Trainer =>
    tinyTrainer({ distillation: { teacher: tinyTeacher, weight: 5, logits: 1 }, ...more });

  test('is part of the loss, and a network nears it', () => {
    const trainer = taught({ distillation: { teacher: tinyTeacher, weight: 5 } });
    const results = Array.from({ length: 30 }, () => learn(trainer, 0));
    const [first, last] = [results[0]!, results.at(-1)!];
    expect(first.loss).toBeCloseTo(first.lossId + 5 * first.lossG + first.lossTeacher!, 4);
    expect(last.lossTeacher!).toBeLessThan(first.lossTeacher! / 2);
    expect(learn(tinyTrainer(), 0).lossTeacher).toBeUndefined();
  });

  test.each(['sgd', 'adamw'] as const)('%s: a resumed run goes on with the same numbers', (optimizer) => {
    const one = taught({ optimizer });
    for (const step of [0, 1]) learn(one, step);
    const { tensors, state } = one.save({});
    const again = taught({ optimizer, seed: 9 });
    again.restore({ tensors, state: JSON.parse(JSON.stringify(state)) }, 'saved');
    expect([2, 3].map((step) => learn(again, step))).toEqual([2, 3].map((step) => learn(one, step)));
    expect(tensors.has('teacher.projection')).toBe(true);
  });

  test('a value that is not finite skips the step, and names the projection', () => {
    const directions = tinyTeacher.directions.slice();
    directions[0] = Number.NaN;
    const lossScale = new LossScale(1024);
    const trainer = taught({ distillation: { teacher: { ...tinyTeacher, directions } }, lossScale });
    const { tensors: before } = trainer.save({});
    const { skipped } = learn(trainer, 0);
    expect(skipped?.reason).toMatch(/loss is not finite|NaN|gradient of/);
    expect(lossScale.value).toBe(512);
    expect(trainer.save({}).tensors.get('teacher.projection')).toEqual(before.get('teacher.projection'));
    expect(trainer.save({}).tensors.get('features.conv1.weight')).toEqual(before.get('features.conv1.weight'));
  });
});
