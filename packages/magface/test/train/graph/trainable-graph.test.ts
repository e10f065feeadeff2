import { readFileSync } from 'node:fs';
import { fromArray, noGrad, scope, type Tensor } from '@magface/torch';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { floatTensor } from '../../../src/onnx/tensor.ts';
import { openGraph } from '../../../src/train/graph/trainable-graph.ts';
import { architecture } from '../../../src/train/model/architectures.ts';
import { allTensors, batchNormEpsilon, tensorsOf } from '../../../src/train/model/layers.ts';
import { magfaceLoss } from '../../../src/train/model/magface-loss.ts';
import { createNetwork } from '../../../src/train/model/network.ts';
import { exportOnnx } from '../../../src/train/model/onnx-export.ts';
import { onnxModel, type SmallNode } from '../../support/small-graph.ts';
import { describeTraining, goldenTensor, u01 } from '../golden.ts';

const iresnet18 = architecture('iresnet18', 64);
const values = new Map(allTensors(iresnet18).map((spec) => [spec.name, goldenTensor(spec.name, spec.shape)]));

const relu6 = architecture('mobilefacenet-relu6', 128);
const models: Readonly<Record<string, () => Uint8Array>> = {
  'the default model, a MobileFaceNet that others exported': () =>
    readFileSync(new URL('../../../models/magface-small.onnx', import.meta.url)),
  'our exported MobileFaceNet with ReLU6': () =>
    exportOnnx(relu6, new Map(allTensors(relu6).map((spec) => [spec.name, goldenTensor(spec.name, spec.shape)]))),
  'our exported iResNet-18': () => exportOnnx(iresnet18, values),
};

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  const largest = Array.from(b).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0) / largest;
};

/** iResNet-18 node by node under its own names, nothing folded, as a framework writes it that exports for training. */
function unfoldedIResNet18(): Uint8Array {
  const stored = Object.fromEntries(
    allTensors(iresnet18).map(({ name, shape }) => [name, floatTensor(shape, values.get(name)!)]),
  );
  const nodes = iresnet18.layers.map((layer): SmallNode => {
    const { name, output } = layer;
    const inputs = [...layer.inputs, ...tensorsOf(layer).map((spec) => spec.name)];
    switch (layer.kind) {
      case 'conv': {
        const { stride, padding, kernel } = layer;
        const ints = {
          strides: [stride, stride],
          pads: Array<number>(4).fill(padding),
          kernel_shape: [kernel, kernel],
        };
        return { op: 'Conv', inputs, output, ints };
      }
      case 'batchNorm':
        return { op: 'BatchNormalization', inputs, output, float: { epsilon: layer.epsilon ?? batchNormEpsilon } };
      case 'prelu':
        return { op: 'PRelu', inputs, output };
      case 'add':
        return { op: 'Add', inputs, output };
      case 'channelDropout':
        return { op: 'Dropout', inputs, output };
      case 'flatten':
        return { op: 'Flatten', inputs, output };
      case 'linear':
        return { op: 'Gemm', inputs, output, int: { transB: 1 } };
      default:
        throw new Error(`iResNet-18 has no ${layer.kind} but ${name} is one.`);
    }
  });
  return onnxModel(nodes, { stored });
}

describeTraining('a graph from an ONNX file', () => {
  test.each(Object.entries(models))("%s: forward is ONNX Runtime's to 1e-4", async (name, read) => {
    const bytes = read();
    const session = await InferenceSession.create(bytes);
    const images = u01('graph', 2 * 3 * 112 * 112).map((value) => 2 * value - 1);
    const expected: number[] = [];
    for (const face of [0, 1]) {
      const one = images.slice(face * 3 * 112 ** 2, (face + 1) * 3 * 112 ** 2);
      const results = await session.run({
        [session.inputNames[0]!]: new OrtTensor('float32', one, [1, 3, 112, 112]),
      });
      expected.push(...(results[session.outputNames[0]!]!.data as Float32Array));
    }
    using _scope = scope();
    using _ = noGrad();
    const features = openGraph(bytes, name).forward(fromArray(images, [2, 3, 112, 112]));
    expect(features.shape).toEqual([2, expected.length / 2]);
    expect(worst(features.toArray() as Float32Array, expected)).toBeLessThan(1e-4);
  });

  test("one step's gradients are those of the native iResNet-18", () => {
    using _scope = scope();
    const images = fromArray(u01('gradients', 2 * 3 * 112 * 112), [2, 3, 112, 112]);
    const loss = (features: Tensor): Tensor => {
      const centers = fromArray(u01('centers', 64 * 5), [64, 5]);
      return magfaceLoss(features, centers, fromArray(BigInt64Array.of(1n, 3n)), { lowerMagnitude: 1 }).total;
    };
    const native = createNetwork(iresnet18, values);
    loss(native.forward(images, { training: false })).backward();
    const graph = openGraph(exportOnnx(iresnet18, values), 'iresnet18');
    for (const weight of graph.weights.values()) weight.requiresGrad = true;
    loss(graph.forward(images)).backward();

    const nativeGradient = (name: string): Float32Array => native.tensors.get(name)!.grad!.toArray() as Float32Array;
    const gradient = (name: string): Float32Array => graph.weights.get(name)!.grad!.toArray() as Float32Array;
    let compared = 0;
    for (const layer of iresnet18.layers) {
      if (layer.kind === 'prelu') {
        expect(worst(gradient(`${layer.output}.slope`), nativeGradient(`${layer.name}.weight`))).toBeLessThan(1e-3);
        compared++;
      }
      // The export folds the BatchNorm behind a convolution into it: W' = scale · W, so that ∂L/∂W = scale · ∂L/∂W'.
      const norm = iresnet18.layers.find(({ kind, inputs }) => kind === 'batchNorm' && inputs[0] === layer.output);
      if (layer.kind !== 'conv' || norm === undefined) continue;
      const [weight, variance] = ['weight', 'running_var'].map((suffix) => values.get(`${norm.name}.${suffix}`)!);
      const folded = gradient(`${layer.output}.weight`);
      const row = folded.length / layer.outChannels;
      const unfolded = folded.map((value, i) => {
        const channel = Math.floor(i / row);
        return (value * weight![channel]!) / Math.sqrt(variance![channel]! + batchNormEpsilon);
      });
      expect(worst(unfolded, nativeGradient(`${layer.name}.weight`)), layer.name).toBeLessThan(1e-3);
      compared++;
    }
    expect(compared).toBe(9 + 21); // PReLU; 17 convolutions of 3x3 and 4 shortcuts
  });

  test("one step's gradients are the native iResNet-18's in every tensor, BatchNorm and the linear layer included", () => {
    using _scope = scope();
    const images = fromArray(u01('gradients', 2 * 3 * 112 * 112), [2, 3, 112, 112]);
    const loss = (features: Tensor): Tensor => {
      const centers = fromArray(u01('centers', 64 * 5), [64, 5]);
      return magfaceLoss(features, centers, fromArray(BigInt64Array.of(1n, 3n)), { lowerMagnitude: 1 }).total;
    };
    const native = createNetwork(iresnet18, values);
    loss(native.forward(images, { training: false })).backward();
    const graph = openGraph(unfoldedIResNet18(), 'iresnet18');
    for (const weight of graph.weights.values()) weight.requiresGrad = true;
    loss(graph.forward(images)).backward();

    expect([...graph.weights.keys()].sort()).toEqual([...native.parameters.keys()].sort());
    for (const [name, tensor] of native.parameters) {
      const [expected, own] = [tensor, graph.weights.get(name)!].map((one) => one.grad!.toArray() as Float32Array);
      expect(
        expected!.some((value) => value !== 0),
        name,
      ).toBe(true);
      expect(worst(own!, expected!), name).toBeLessThan(1e-3);
    }
  });

  test('names every operator that has no translation, in one error', () => {
    const bytes = onnxModel([
      { op: 'Softmax', inputs: ['input'], output: 'a' },
      { op: 'Conv', inputs: ['a', 'w'], output: 'b', text: { auto_pad: 'SAME_UPPER' } },
      { op: 'Einsum', inputs: ['b'], output: 'unread' },
      { op: 'Erf', inputs: ['b'], output: 'embedding' },
    ]);
    expect(() => openGraph(bytes, 'odd.onnx')).toThrow(
      expect.objectContaining({
        name: 'ModelError',
        code: 'model_untrainable',
        message: expect.stringMatching(/odd\.onnx but it has Conv with auto_pad SAME_UPPER, Erf, Softmax:/),
      }),
    );
  });
});
