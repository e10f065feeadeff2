/** Six SGD steps beside the official ones. */
import { cacheMemory, fromArray, Generator, noGrad, Sgd, scope } from '@magface/torch';
import { expect, test } from 'vitest';
import { iresnet } from '../../src/graph/networks/iresnet.ts';
import { createNetwork } from '../../src/graph/torch/network.ts';
import { magfaceLoss } from '../../src/train/model/magface-loss.ts';
import { fixtureJson } from '../support/fixtures.ts';
import { describeTraining, goldenTensor, u01 } from './golden.ts';

interface GoldenRun {
  readonly angular: boolean;
  readonly batch: number;
  readonly classes: number;
  readonly lr: number;
  readonly momentum: number;
  readonly weightDecay: number;
  readonly la: number;
  readonly ua: number;
  readonly lm: number;
  readonly um: number;
  readonly lambda_g: number;
  readonly steps: readonly Record<'lossId' | 'lossG' | 'loss' | 'meanNorm' | 'gradNorm', number>[];
}

describeTraining('training like the official code', () => {
  const runs = fixtureJson<GoldenRun[]>('golden/training.json');

  const specs = iresnet('iresnet18').tensors;
  const values = new Map(specs.map(({ name, shape }) => [name, goldenTensor(name, shape)]));

  test.each(runs)('angular $angular: steps 0 and 1 within 1e-3, later ones within 5e-2', (run) => {
    cacheMemory(2 ** 30);
    using _all = scope();
    const network = createNetwork(iresnet('iresnet18'), values);
    const centers = fromArray(
      u01('fc', 512 * run.classes).map((u) => u - 0.5),
      [512, run.classes],
    );
    centers.requiresGrad = true;
    const sgd = new Sgd([...network.weights.values(), centers]);
    const generator = new Generator(0);
    for (const [index, expected] of run.steps.entries()) {
      using _step = scope();
      const tolerance = index < 2 ? 1e-3 : 5e-2;
      const near = (actual: number, golden: number, name: string): void =>
        expect(Math.abs(actual - golden) / Math.max(Math.abs(golden), 1), `${name} of step ${index}`).toBeLessThan(
          tolerance,
        );
      const images = fromArray(u01(`batch${index % 2}`, run.batch * 3 * 112 * 112), [run.batch, 3, 112, 112]);
      const labels = BigInt64Array.from(u01(`label${index % 2}`, run.batch), (u) =>
        BigInt(Math.floor(u * run.classes)),
      );
      sgd.zeroGrad();
      const features = network.forward(images, { training: true, dropout: 0, generator });
      const loss = magfaceLoss(features, centers, fromArray(labels), {
        margin: run.angular ? 'angular' : 'cosine',
        lowerMagnitude: run.la,
        upperMagnitude: run.ua,
        lowerMargin: run.lm,
        upperMargin: run.um,
        lambdaG: run.lambda_g,
      });
      loss.total.backward();
      near(loss.identity.item(), expected.lossId, 'identity loss');
      near(loss.regularizer.item(), expected.lossG, 'regularizer');
      near(loss.total.item(), expected.loss, 'loss');
      using _noGrad = noGrad();
      near(features.norm(2, 1).mean().item(), expected.meanNorm, 'magnitude');
      near(Math.hypot(...sgd.gradientNorms()), expected.gradNorm, 'gradient');
      sgd.step({ lr: run.lr, momentum: run.momentum, weightDecay: run.weightDecay });
    }
    cacheMemory(0);
  });
});
