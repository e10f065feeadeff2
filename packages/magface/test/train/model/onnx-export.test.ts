import { fromArray, noGrad, scope } from '@magface/torch';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { architecture } from '../../../src/graph/networks/architectures.ts';
import { summarizeOnnx } from '../../../src/graph/onnx/file.ts';
import { createNetwork } from '../../../src/graph/torch/network.ts';
import { contractFields, parseContract } from '../../../src/models/contract.ts';
import { exportOnnx } from '../../../src/train/model/onnx-export.ts';
import { describeTraining, goldenTensor, u01 } from '../golden.ts';

describeTraining('ONNX from a trained network', () => {
  test.each(['iresnet18', 'iresnet50', 'mobilefacenet'])(
    '%s: ONNX Runtime gives what libtorch does, to 1e-4',
    async (name) => {
      const description = architecture(name, 64);
      const values = new Map(description.tensors.map((spec) => [spec.name, goldenTensor(spec.name, spec.shape)]));
      const images = u01('onnx', 2 * 3 * 112 * 112);
      const bytes = exportOnnx(description, values);
      const session = await InferenceSession.create(bytes);
      const results = await session.run({ input: new Tensor('float32', images, [2, 3, 112, 112]) });
      const [embedding, magnitude] = [results['embedding']!, results['magnitude']!];
      expect(embedding.dims).toEqual([2, 64]);
      expect(magnitude.dims).toEqual([2]);

      using _scope = scope();
      using _grad = noGrad();
      const features = createNetwork(description, values).forward(fromArray(images, [2, 3, 112, 112]), {
        training: false,
      });
      const expected = features.toArray() as Float32Array;
      const norms = features.norm(2, 1).toArray() as Float32Array;
      for (const [i, norm] of norms.entries()) {
        expect(Math.abs((magnitude.data as Float32Array)[i]! / norm - 1)).toBeLessThan(1e-4);
        const row = (data: Float32Array): Float32Array => data.subarray(i * 64, (i + 1) * 64);
        const ours = row(embedding.data as Float32Array);
        const worst = Math.max(...row(expected).map((value, j) => Math.abs(ours[j]! - value)));
        expect(worst / norm).toBeLessThan(1e-4);
      }
    },
  );
});

test('the file says what it is and keeps only the BatchNorm that cannot be folded', () => {
  const description = architecture('iresnet18');
  const values = new Map(
    description.tensors.map(({ name, shape }) => [name, new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(1)]),
  );
  const calibration = { centre: 23, width: 2.6, source: 'a test' };
  const bytes = exportOnnx(description, values, { calibration });
  const summary = summarizeOnnx(bytes, 'test.onnx');
  expect(summary.inputs).toEqual([{ name: 'input', dims: ['N', 3, 112, 112] }]);
  expect(summary.outputs.map(({ name }) => name)).toEqual(['embedding', 'magnitude']);
  const contract = parseContract(contractFields(summary.metadata, 'test.onnx'), 'test.onnx');
  expect(contract).toMatchObject({ kind: 'recogniser', arch: 'iresnet18', embeddingLength: 512, calibration });
  const norms =
    Buffer.from(bytes)
      .toString('latin1')
      .match(/BatchNormalization/g) ?? [];
  expect(norms).toHaveLength(8); // bn1 of each of the eight blocks stands before a padded convolution
});
