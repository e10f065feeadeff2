import { readFileSync } from 'node:fs';
import { toBinary } from '@bufbuild/protobuf';
import { fromArray, noGrad, scope, type Tensor } from '@magface/torch';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { architecture } from '../../../src/graph/networks/architectures.ts';
import { batchNormEpsilon } from '../../../src/graph/networks/builder.ts';
import { ModelProtoSchema } from '../../../src/graph/onnx/onnx_pb.ts';
import { createNetwork } from '../../../src/graph/torch/network.ts';
import { openGraph } from '../../../src/graph/torch/open-graph.ts';
import { magfaceLoss } from '../../../src/train/model/magface-loss.ts';
import { exportOnnx, modelOf } from '../../../src/train/model/onnx-export.ts';
import { onnxModel } from '../../support/small-graph.ts';
import { describeTraining, goldenTensor, u01 } from '../../train/golden.ts';

const iresnet18 = architecture('iresnet18', 64);
const values = new Map(iresnet18.tensors.map((spec) => [spec.name, goldenTensor(spec.name, spec.shape)]));

const relu6 = architecture('mobilefacenet-relu6', 128);
const models: Readonly<Record<string, () => Uint8Array>> = {
  'the default model, a MobileFaceNet that others exported': () =>
    readFileSync(new URL('../../../models/magface-small.onnx', import.meta.url)),
  'our exported MobileFaceNet with ReLU6': () =>
    exportOnnx(relu6, new Map(relu6.tensors.map((spec) => [spec.name, goldenTensor(spec.name, spec.shape)]))),
  'our exported iResNet-18': () => exportOnnx(iresnet18, values),
};

const worst = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  expect(a.length).toBe(b.length);
  const largest = Array.from(b).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0) / largest;
};

/** iResNet-18 node by node under its own names, nothing folded, as a framework writes it that exports for training. */
const unfoldedIResNet18 = (): Uint8Array => toBinary(ModelProtoSchema, modelOf(iresnet18, values, [3, 112, 112]));

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
    for (const { opType, name, input, output } of iresnet18.nodes) {
      if (opType === 'PRelu') {
        expect(worst(gradient(input[1]!), nativeGradient(input[1]!))).toBeLessThan(1e-3);
        compared++;
      }
      // The export folds the BatchNorm behind a convolution into it: W' = scale · W, so that ∂L/∂W = scale · ∂L/∂W'.
      const norm = iresnet18.nodes.find((node) => node.opType === 'BatchNormalization' && node.input[0] === output[0]);
      if (opType !== 'Conv' || norm === undefined) continue;
      const [weight, variance] = ['weight', 'running_var'].map((suffix) => values.get(`${norm.name}.${suffix}`)!);
      const folded = gradient(`${name}.weight`);
      const row = folded.length / weight!.length;
      const unfolded = folded.map((value, i) => {
        const channel = Math.floor(i / row);
        return (value * weight![channel]!) / Math.sqrt(variance![channel]! + batchNormEpsilon);
      });
      expect(worst(unfolded, nativeGradient(`${name}.weight`)), name).toBeLessThan(1e-3);
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

    expect([...graph.weights.keys()].sort()).toEqual([...native.weights.keys()].sort());
    for (const [name, tensor] of native.weights) {
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
      { op: 'LRN', inputs: ['input'], output: 'a' },
      { op: 'Conv', inputs: ['a', 'w'], output: 'b', text: { auto_pad: 'SAME_UPPER' } },
      { op: 'Einsum', inputs: ['b'], output: 'unread' },
      { op: 'Asinh', inputs: ['b'], output: 'embedding' },
    ]);
    expect(() => openGraph(bytes, 'odd.onnx')).toThrow(
      expect.objectContaining({
        name: 'ModelError',
        code: 'model_untrainable',
        message: expect.stringMatching(/odd\.onnx but it has Asinh, Conv with auto_pad SAME_UPPER, LRN:/),
      }),
    );
  });
});
