/** One network of each family: the same features in libtorch and ONNX Runtime, and gradients that are slopes. */
import { fromArray, noGrad, scope, type Tensor } from '@magface/torch';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { architecture } from '../../../src/graph/networks/architectures.ts';
import type { Architecture, Weights } from '../../../src/graph/networks/builder.ts';
import { createNetwork } from '../../../src/graph/torch/network.ts';
import { exportOnnx } from '../../../src/train/model/onnx-export.ts';
import { describeTraining, u01 } from '../../train/golden.ts';

const families = ['irse50', 'mbf', 'mobilefacenet-quarter', 'ghostfacenet-v1-2', 'ghostfacenet-v2-2', 'mixfacenet-xs', 'pocketnet-s-128', 'edgeface-xs-gamma-06', 'vit-t'] as const; // biome-ignore format: one list

const shape = [2, 3, 112, 112];
const images = u01('backbones', 2 * 3 * 112 * 112);

/** Weights at their start, but every vector, so also each statistic and γ, moved to where it matters. */
function weightsOf(description: Architecture): Weights {
  using _scope = scope();
  const network = createNetwork(description, 1);
  return new Map(
    description.tensors.map(({ name, shape: dims }) => {
      const values = Float32Array.from(network.tensors.get(name)!.toArray() as Float32Array);
      const isSmall = dims.length === 1 || dims.includes(1) === false ? dims.length === 1 : dims.length === 3;
      if (!isSmall) return [name, values] as const;
      const random = u01(name, values.length);
      const calm = name.endsWith('res_layer.4.weight') ? 0.3 : 1; // else 24 sums in a row grow without bound
      return [name, values.map((value, i) => calm * (value + 0.3 * (random[i]! - 0.5)))] as const;
    }),
  );
}

/** The largest difference, as a share of the rows' norm. */
function apart(a: Float32Array, b: Float32Array): number {
  const norm = Math.sqrt(a.reduce((sum, value) => sum + value * value, 0) / 2);
  return a.reduce((worst, value, i) => Math.max(worst, Math.abs(value - b[i]!)), 0) / norm;
}

describeTraining('backbones', () => {
  test.each(families)('%s: the same features in libtorch and ONNX Runtime', async (name) => {
    const description = architecture(name);
    const weights = weightsOf(description);
    const features = (() => {
      using _scope = scope();
      using _ = noGrad();
      const network = createNetwork(description, weights);
      const values = network.forward(fromArray(images, shape), { training: false }).toArray() as Float32Array;
      for (const tensor of network.tensors.values()) tensor.dispose();
      return values;
    })();
    const bytes = exportOnnx(description, weights);
    const session = await InferenceSession.create(bytes, { intraOpNumThreads: 1 });
    const input = { [session.inputNames[0]!]: new OrtTensor('float32', images, shape) };
    const onnx = (await session.run(input))['embedding']!.data as Float32Array;
    await session.release();
    expect(apart(onnx, features)).toBeLessThan(2e-6);
  });

  describe('gradients', () => {
    test.each(['ghostfacenet-v2-2', 'mixfacenet-xs', 'pocketnet-s-128', 'edgeface-xs-gamma-06', 'vit-t'])(
      '%s: the loss rises along its gradient by the gradient’s square',
      (name) => {
        using _scope = scope();
        const description = architecture(name, 32);
        const network = createNetwork(description, weightsOf(description));
        const direction = fromArray(
          u01('direction', 32).map((value) => value - 0.5),
          [1, 32],
        );
        const faces = fromArray(images.subarray(0, images.length / 2), [1, 3, 112, 112]);
        // With the running statistics: those of few faces leave no gradient.
        const loss = (): Tensor => network.forward(faces, { training: false }).mul(direction).sum();
        const before = loss();
        before.backward();
        const gradients = [...network.weights.values()].map((weight) => [weight, weight.grad!] as const);
        using _ = noGrad();
        const square = gradients.reduce((sum, [, gradient]) => sum + Number(gradient.square().sum().item()), 0);
        expect(square).toBeGreaterThan(0);
        const step = (1e-3 * Math.abs(Number(before.item()))) / square;
        const move = (by: number): void => {
          for (const [weight, gradient] of gradients) weight.add_(gradient.mul(by));
        };
        move(step);
        const above = Number(loss().item());
        move(-2 * step);
        const below = Number(loss().item());
        expect((above - below) / (2 * step) / square).toBeCloseTo(1, 1);
        for (const tensor of network.tensors.values()) tensor.dispose();
      },
    );
  });
});
