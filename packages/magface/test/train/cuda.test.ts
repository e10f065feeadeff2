/** Training on a GPU, beside the CPU's figures; these run where libtorch sees one, and say elsewhere that they did not. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cudaDevices, isBuilt } from '@magface/torch';
import { describe, expect, test } from 'vitest';
import { deviceOfRank } from '../../src/train/loop/device.ts';
import type { StepResult } from '../../src/train/loop/learner.ts';
import { LossScale } from '../../src/train/loop/loss-scale.ts';
import { train } from '../../src/train/loop/run.ts';
import type { Trainer, TrainerOptions } from '../../src/train/loop/trainer.ts';
import { backendOf, groupOfOne } from '../../src/train/parallel/environment.ts';
import { Ranks } from '../../src/train/parallel/ranks.ts';
import { parseTrainConfig } from '../../src/train/settings/config.ts';
import { smallModel } from './finetune/small-model.ts';
import { tinyBatch, tinyTrainer } from './parallel/tiny.ts';
import { smallSet, temporaryFolder } from './small-set.ts';

const hasGpu = isBuilt() && cudaDevices() > 0;
const device = 'cuda:0';

test('each rank of a machine uses the GPU of its number, and no two share one', () => {
  expect(deviceOfRank('cuda', { LOCAL_RANK: '3' }, 4)).toBe('cuda:3');
  expect(deviceOfRank('cpu', { LOCAL_RANK: '3' }, 4)).toBe('cpu');
  expect(() => deviceOfRank('cuda:1', { LOCAL_RANK: '0' }, 2)).toThrow(/Expected --device cuda \(.* received cuda:1/);
  expect([backendOf('cpu'), backendOf('cuda:1')]).toEqual(['gloo', 'nccl']);
});

function steps(trainer: Trainer, count: number): StepResult[] {
  const place = trainer.options.device ?? 'cpu';
  return Array.from({ length: count }, (_, step) => {
    const { images, labels } = tinyBatch(step);
    return trainer.learn(images.to({ device: place }), labels.to({ device: place }), 0.01);
  });
}

const losses = (more: Partial<TrainerOptions>): number[] => steps(tinyTrainer(more), 5).map(({ loss }) => loss);

function expectClose(actual: readonly number[], wanted: readonly number[], tolerance: number): void {
  for (const [i, value] of actual.entries()) expect(Math.abs(value / wanted[i]! - 1)).toBeLessThan(tolerance);
}

describe.skipIf(!hasGpu)(`training on a GPU${hasGpu ? '' : ' [skipped: libtorch sees none]'}`, () => {
  test('float32 gives the losses of the CPU', () => {
    expectClose(losses({ device }), losses({}), 1e-3);
  });

  test('bf16 and fp16 give similar losses', () => {
    expectClose(losses({ device, precision: 'bf16' }), losses({}), 0.02);
    expectClose(losses({ device, precision: 'fp16', lossScale: new LossScale(1024) }), losses({}), 0.02);
  });

  test('finetuning an ONNX model gives the losses of the CPU, and a file', async () => {
    const settings = { trainList: smallSet(4, 6), init: smallModel(), batchSize: 8, epochs: 1, views: 3, workers: 0 };
    const run = async (more: object): Promise<number[]> => {
      const output = temporaryFolder();
      const heard: number[] = [];
      const config = parseTrainConfig({ ...settings, ...more, output });
      await train(config, { onStep: (_, __, { loss }) => heard.push(loss) });
      expect(existsSync(join(output, 'model.onnx'))).toBe(true);
      return heard;
    };
    for (const more of [{}, { trainLast: 2, freshBatchNorm: true, averageLast: 0.5 }])
      expectClose(await run({ ...more, device }), await run(more), 1e-3);
    expectClose(await run({ device, precision: 'fp16' }), await run({}), 0.02);
  });

  test('a split head over NCCL gives the losses of the whole head', () => {
    const ranks = new Ranks(groupOfOne('nccl'));
    expectClose(losses({ device, ranks }), losses({ device }), 1e-4);
    expectClose(losses({ device, ranks, precision: 'fp16', lossScale: new LossScale(1024) }), losses({}), 0.02);
  });

  test('an overflow in fp16 skips the step and halves the loss scale', () => {
    const lossScale = new LossScale(2 ** 40);
    const [first] = steps(tinyTrainer({ device, precision: 'fp16', lossScale }), 1);
    expect(first!.skipped?.reason).toMatch(/first not finite/);
    expect(lossScale.value).toBe(2 ** 39);
  });

  test('a checkpoint of the GPU resumes there and on the CPU', () => {
    const first = tinyTrainer({ device });
    steps(first, 2);
    const saved = first.save({});
    for (const more of [{ device }, {}]) {
      const second = tinyTrainer(more);
      second.restore(saved, 'memory');
      expectClose([steps(second, 1)[0]!.loss], [steps(first, 1)[0]!.loss], 1e-3);
      first.restore(saved, 'memory');
    }
  });
});
