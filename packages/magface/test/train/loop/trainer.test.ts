import { createHash } from 'node:crypto';
import { aliveTensors, autocast, fromArray, Generator, noGrad, scope, threads } from '@magface/torch';
import { beforeAll, expect, test } from 'vitest';
import { toFloat32 } from '../../../src/format/tensor.ts';
import { architecture } from '../../../src/graph/networks/architectures.ts';
import { Trainer, type TrainerOptions, toImages } from '../../../src/train/loop/trainer.ts';
import { backboneOf } from '../../../src/train/model/read-backbone.ts';
import { describeTraining, u01 } from '../golden.ts';

const pixels = 112 * 112 * 3;

describeTraining('a trainer', () => {
  beforeAll(() => void threads(1));
  const trainer = (more: Partial<TrainerOptions> = {}): Trainer =>
    new Trainer({ architecture: architecture('mobilefacenet', 16), classes: 3, loss: {}, ...more });
  const batch = () => ({
    faces: Uint8Array.from(u01('faces', 2 * pixels), (u) => u * 255),
    labels: BigInt64Array.of(0n, 2n),
    indices: Uint32Array.of(0, 1),
  });
  /** Digest of every weight, running statistic, center and velocity. */
  const stateOf = (one: Trainer): Map<string, string> =>
    new Map([...one.save({}).tensors].map(([name, { bytes }]) => [name, hash(bytes)]));
  const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
  const spoil = (one: Trainer): void => {
    using _ = scope();
    one.centers.detach().fill_(Number.NaN);
  };
  const expectFinite = (one: Trainer): void => {
    using _ = scope();
    for (const [name, tensor] of one.network.tensors) expect(tensor.isfinite().all().item(), name).toBe(1);
    expect(one.centers.isfinite().all().item()).toBe(1);
    for (const velocity of one.optimizer.kept.flat()) expect(velocity.isfinite().all().item()).toBe(1);
  };

  test('learns the same from a batch in parts as from the whole, where BatchNorm sees the same', () => {
    const given = batch();
    const twice = {
      faces: Uint8Array.from([...given.faces, ...given.faces]),
      labels: BigInt64Array.of(0n, 2n, 0n, 2n),
      indices: Uint32Array.of(0, 1, 0, 1),
    };
    const [whole, parts] = [trainer({ dropout: 0 }), trainer({ dropout: 0, accumulate: 2 })];
    const [a, b] = [whole.step(twice, 0.1), parts.step(twice, 0.1)];
    expect(b.loss).toBeCloseTo(a.loss, 4);
    expect(b.gradientNorm / a.gradientNorm).toBeCloseTo(1, 3);
    expect(b.magnitudes).toHaveLength(4);
    expect(b.targetCosines).toHaveLength(4);
    const [centers, others] = [whole.centers.toArray(), parts.centers.toArray()];
    centers.forEach((value, i) => {
      expect(others[i]).toBeCloseTo(Number(value), 4);
    });
    expect(() => trainer({ accumulate: 3 }).step(given, 0.1)).toThrow(/divided into 3 equal parts/);
  });

  test('embeds with the moving mean of the weights, saves it, and goes on with it', () => {
    const one = trainer({ dropout: 0, ema: 0.9 });
    const plain = trainer({ dropout: 0 });
    const given = batch();
    for (let i = 0; i < 3; i++) for (const of of [one, plain]) of.step(given, 0.05);
    const own = new Map([...stateOf(one)].filter(([name]) => !name.startsWith('mean.')));
    expect(own).toEqual(stateOf(plain)); // the mean changes nothing in training
    expect(one.embed(given.faces)).not.toEqual(plain.embed(given.faces));

    const again = trainer({ dropout: 0, ema: 0.9, seed: 5 });
    const { tensors, state } = one.save({});
    again.restore({ tensors, state: JSON.parse(JSON.stringify(state)) }, 'saved');
    expect(again.embed(given.faces)).toEqual(one.embed(given.faces));
    for (const of of [one, again]) of.step(given, 0.05);
    expect(stateOf(again)).toEqual(stateOf(one));
  });

  test('AdamW resumes with the same numbers, and SGD does not resume it', () => {
    const options = { dropout: 0, optimizer: 'adamw', weightDecay: 0.1 } as const;
    const one = trainer(options);
    for (let i = 0; i < 3; i++) one.step(batch(), 1e-3);
    const { tensors, state } = one.save({});
    const saved = { tensors, state: JSON.parse(JSON.stringify(state)) };
    const again = trainer({ ...options, seed: 5 });
    again.restore(saved, 'saved');
    for (const of of [one, again]) of.step(batch(), 1e-3);
    expect(stateOf(again)).toEqual(stateOf(one));
    expect([...tensors.keys()]).toEqual(
      expect.arrayContaining(['squares.fc.weight', 'squares.features.conv1.conv.weight']),
    );
    expect(() => trainer().restore(saved, 'saved')).toThrow(/Expected --optimizer adamw, as in saved/);
  });

  test('without decay of biases and vectors, the first step of AdamW moves them by that decay less', () => {
    const [lr, weightDecay] = [1e-3, 10];
    const options = { dropout: 0, optimizer: 'adamw', weightDecay } as const;
    const [start, all, some] = [trainer(options), trainer(options), trainer({ ...options, decayBiasAndNorm: false })];
    for (const one of [all, some]) one.step(batch(), lr);
    for (const [name, weight] of start.network.weights) {
      const [before, after, other] = [start, all, some].map((one) => one.network.weights.get(name)!.toArray());
      const isVector = weight.shape.length < 2;
      for (let i = 0; i < before!.length; i += 97)
        expect(Number(other![i]) - Number(after![i]), name).toBeCloseTo(
          isVector ? lr * weightDecay * Number(before![i]) : 0,
          6,
        );
    }
    expect([...stateOf(some).keys()]).toEqual(expect.arrayContaining([...stateOf(all).keys()]));
  });

  test('exports the mean of the weights, if there is one', async () => {
    const one = trainer({ dropout: 0, ema: 0.9 });
    const first = await backboneOf(one.save({}), 'saved'); // before any step there is no mean
    expect(first.weights.get('features.weight')).toEqual(one.network.tensors.get('features.weight')!.toArray());
    expect(first.weights.get('features.weight')).not.toEqual(new Float32Array(16));
    for (let i = 0; i < 2; i++) one.step(batch(), 0.05);
    const { weights } = await backboneOf(one.save({}), 'saved');
    const mean = toFloat32(one.save({}).tensors.get('mean.features.features.weight')!);
    expect(weights.get('features.weight')).toEqual(mean);
    expect(mean).not.toEqual(one.network.tensors.get('features.weight')!.toArray());
  });

  test('feeds images as BGR / 255 of shape (N, 3, 112, 112)', () => {
    const faces = new Uint8Array(pixels);
    faces.set([0, 51, 255]);
    const images = toImages(faces);
    expect(images.shape).toEqual([1, 3, 112, 112]);
    expect([0, 1, 2].map((c) => Number(images.toArray()[c * 112 * 112]))).toEqual([0, Math.fround(0.2), 1]);
  });

  test('skips a step that is not finite, changes no weight or statistic, and names the cause', () => {
    const one = trainer({ architecture: architecture('iresnet18', 16) });
    const bias = one.network.tensors.get('bn1.bias')!.detach();
    bias.fill_(Number.POSITIVE_INFINITY);
    const before = one.network.tensors.get('bn1.running_mean')!.toArray();
    const centers = one.centers.toArray();
    const result = one.step(batch(), 0.1);
    expect(result.skipped?.sample).toBe(0);
    expect(result.skipped?.reason).toMatch(/the features of sample 0 of the batch and the gradient of conv1.weight/);
    expect(one.centers.toArray()).toEqual(centers);
    expect(one.network.tensors.get('bn1.running_mean')!.toArray()).toEqual(before);
    bias.fill_(0);
    expect(one.step(batch(), 0.1).skipped).toBeUndefined();
  });

  test.each(['fp32', 'bf16'] as const)(
    '%s: an infinite pixel leaves every weight unchanged, to the bit',
    (precision) => {
      const one = trainer({ precision });
      const values = u01('images', 2 * pixels);
      values[pixels + 5000] = Number.POSITIVE_INFINITY;
      const before = stateOf(one);
      const learn = (): boolean => {
        using _ = scope();
        const images = fromArray(values, [2, 3, 112, 112]);
        return one.learn(images, fromArray(BigInt64Array.of(0n, 2n)), 0.1).skipped === undefined;
      };
      expect(learn()).toBe(false);
      const after = stateOf(one);
      for (const [name, digest] of before) {
        if (name !== 'random.dropout' && !name.endsWith('num_batches_tracked'))
          expect(after.get(name), name).toBe(digest);
      }
      values[pixels + 5000] = 0.5;
      expect(learn()).toBe(true);
      expectFinite(one);
    },
  );

  test.each(['fp32', 'bf16'] as const)('%s: a center equal to the feature (cos θ = 1) can be trained', (precision) => {
    const one = trainer({ precision, dropout: 0 });
    const given = batch();
    {
      using _ = scope();
      using _noGrad = noGrad();
      using _precision = autocast(precision === 'bf16' ? 'bfloat16' : null);
      const mode = { training: true, dropout: 0, generator: new Generator(0) } as const;
      const features = one.network.forward(toImages(given.faces), mode); // (2, D): what the step will see
      one.centers.copy_(features.indexSelect(0, fromArray(BigInt64Array.of(0n, 1n, 1n))).t());
    }
    const result = one.step(given, 0.1);
    for (const cosine of result.targetCosines) expect(cosine).toBeCloseTo(1, precision === 'fp32' ? 5 : 3);
    expect(result.skipped).toBeUndefined();
    expectFinite(one);
  });

  test.each(['fp32', 'bf16'] as const)('%s: black images leave every weight finite', (precision) => {
    const one = trainer({ precision });
    const black = { ...batch(), faces: new Uint8Array(2 * pixels) };
    for (let step = 0; step < 3; step++) expect(Number.isFinite(one.step(black, 0.1).loss)).toBe(true);
    expectFinite(one);
  });

  test.each([
    ['fused, channels that the kernels do not take', { fused: true, architecture: architecture('mobilefacenet', 16) }],
    ['by single layers', { fused: false, architecture: architecture('mobilefacenet', 32) }],
  ])('a batch of one leaves every statistic finite: %s', (_, options) => {
    const one = trainer(options);
    const given = batch();
    const single = { faces: given.faces.subarray(0, pixels), labels: BigInt64Array.of(0n), indices: Uint32Array.of(0) };
    expect(one.step(single, 0.01).skipped).toBeUndefined();
    expectFinite(one);
    const variance = one.network.tensors.get('gdconv.bn.running_var')!.toArray();
    expect(variance[0]).toBeCloseTo(0.1, 6); // one value has no spread: 0.1 · 1 + 0.9 · 0
    expect(one.step(given, 0.01).skipped).toBeUndefined();
    expectFinite(one);
  });

  test('leaves no tensor behind after a step, also a skipped one', () => {
    const one = trainer();
    one.step(batch(), 0.01);
    const before = aliveTensors();
    for (let step = 0; step < 3; step++) one.step(batch(), 0.01);
    spoil(one);
    for (let step = 0; step < 3; step++) expect(one.step(batch(), 0.01).skipped).toBeDefined();
    one.embed(batch().faces);
    expect(aliveTensors()).toBe(before);
  });
});
