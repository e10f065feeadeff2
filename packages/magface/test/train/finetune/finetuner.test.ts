import { aliveTensors, fromArray, noGrad, scope } from '@magface/torch';
import { expect, test } from 'vitest';
import { floatTensor } from '../../../src/graph/onnx/tensor.ts';
import { insertBatchNorm, startBatchNorm } from '../../../src/graph/torch/fresh-batch-norm.ts';
import { openGraph } from '../../../src/graph/torch/open-graph.ts';
import { officialInput, type RecogniserContract } from '../../../src/models/contract.ts';
import { Finetuner } from '../../../src/train/finetune/finetuner.ts';
import { selectWeights } from '../../../src/train/finetune/select-weights.ts';
import { inputTensor } from '../../../src/train/finetune/view-reader.ts';
import { magfaceDefaults } from '../../../src/train/model/magface-loss.ts';
import { writeGraph } from '../../../src/train/model/write-graph.ts';
import { onnxModel } from '../../support/small-graph.ts';
import { describeTraining, u01 } from '../golden.ts';

const weight = (name: string, ...dims: number[]) => {
  const count = dims.reduce((a, b) => a * b, 1);
  return floatTensor(
    dims,
    u01(name, count).map((value) => value - 0.5),
  );
};

const bytes = onnxModel(
  [
    { op: 'Conv', inputs: ['faces', 'stem'], output: 'a', ints: { strides: [56, 56] } },
    { op: 'Flatten', inputs: ['a'], output: 'd' },
    { op: 'Gemm', inputs: ['d', 'head'], output: 'embedding' },
  ],
  { stored: { stem: weight('stem', 4, 3, 2, 2), head: weight('head', 16, 8) } },
);

const [count, pixels] = [3, 3 * 112 * 112];

function tuner(): Finetuner {
  const plain = openGraph(bytes, 'small.onnx');
  const graph = insertBatchNorm(plain, selectWeights(plain, {}));
  {
    using _ = scope();
    startBatchNorm(graph, faces(), undefined);
  }
  return new Finetuner(graph, {
    trained: selectWeights(graph, {}),
    front: undefined,
    centers: u01('centers', 8 * 3),
    classes: 3,
    constants: magfaceDefaults,
    weights: { keep: 1, quality: 1 },
    precision: 'fp32',
    input: officialInput,
    momentum: 0.9,
    weightDecay: 0,
    clip: 5,
  });
}

/** @param spoiled - a pixel of the second face, which is not finite */
function faces(spoiled = 0.5) {
  const values = u01('faces', count * pixels);
  values[pixels] = spoiled;
  return fromArray(values, [count, 3, 112, 112]);
}

const contract: RecogniserContract = {
  kind: 'recogniser',
  input: officialInput,
  template: 'arcface-112',
  embeddingLength: 8,
};

const indices = Uint32Array.of(0, 1, 2);

const targets = {
  labels: BigInt64Array.of(0n, 1n, 2n),
  start: u01('start', count * 8),
  magnitudes: Float32Array.of(20, 30, 40),
  recognisable: BigInt64Array.of(0n, 2n),
};

/** All that a step may change, as bytes. */
const stateOf = (one: Finetuner): ReadonlyMap<string, Buffer> =>
  new Map([...one.save({}).tensors].map(([name, { bytes: values }]) => [name, Buffer.from(values)]));

describeTraining('a step of finetuning', () => {
  test('that is not finite changes no weight, velocity or statistic, and names what was wrong', () => {
    const one = tuner();
    const before = stateOf(one);
    expect([...before.keys()].filter((name) => name.startsWith('statistics.'))).toHaveLength(2);
    const result = one.step({ indices, load: () => faces(Number.POSITIVE_INFINITY), targets }, 0.01);
    expect(result.skipped?.sample).toBe(0); // BatchNorm has spread it over the batch
    expect(result.skipped?.reason).toMatch(/the features of sample 0 of the batch and the gradient of/);
    for (const [name, values] of stateOf(one)) expect(values.equals(before.get(name)!), name).toBe(true);
    expect(one.step({ indices, load: () => faces(), targets }, 0.01).skipped).toBeUndefined();
    for (const [name, values] of stateOf(one))
      if (!name.startsWith('mean.')) expect(values.equals(before.get(name)!), name).toBe(false);
  });

  test('is skipped where the loss alone, or the gradient of the centers alone, is not finite', () => {
    const one = tuner();
    const spoiled = { ...targets, magnitudes: Float32Array.of(20, Number.POSITIVE_INFINITY, 40) };
    const result = one.step({ indices, load: () => faces(), targets: spoiled }, 0.01);
    expect(result.skipped).toBeDefined();
    {
      using _ = noGrad();
      one.centers.fill_(Number.NaN);
    }
    expect(one.step({ indices, load: () => faces(), targets }, 0.01).skipped?.sample).toBeUndefined();
    expect(one.step({ indices, load: () => faces(), targets }, 0.01).skipped?.reason).toMatch(/the gradient of/);
  });

  test('leaves no tensor behind, a skipped one neither', () => {
    const one = tuner();
    one.step({ indices, load: () => faces(), targets }, 0.01);
    const before = aliveTensors();
    one.step({ indices, load: () => faces(), targets }, 0.01);
    one.step({ indices, load: () => faces(Number.NaN), targets }, 0.01);
    expect(aliveTensors()).toBe(before);
  });

  test('embeds by the mean of the weights once there is one, as the file has it', () => {
    const one = tuner();
    const bgr = Uint8Array.from(u01('pixels', 2 * pixels), (u) => u * 255);
    const ofFile = (): Float32Array => {
      const file = one.mean.during(() => writeGraph(one.graph, contract));
      using _ = scope();
      using _grad = noGrad();
      const given = inputTensor(bgr, contract.input);
      return openGraph(file, 'written.onnx').forward(given).toArray() as Float32Array;
    };
    const distance = (a: Float32Array, b: Float32Array): number =>
      Math.max(...a.map((value, i) => Math.abs(value - b[i]!)));
    for (let step = 0; step < 3; step++) one.step({ indices, load: () => faces(), targets }, 1);
    const last = one.embed(bgr);
    expect(distance(last, ofFile())).toBeLessThan(1e-4);
    one.average();
    one.step({ indices, load: () => faces(), targets }, 1);
    one.average();
    expect(distance(one.embed(bgr), ofFile())).toBeLessThan(1e-4);
  });
});
