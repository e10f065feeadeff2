/** Weights that others trained, through each way that they take here, against the figures that others got from them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromArray, noGrad, scope } from '@magface/torch';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { ConfigError, FormatError } from '../../src/errors.ts';
import { convertTensors } from '../../src/format/convert-tensors.ts';
import { float32Tensor } from '../../src/format/tensor.ts';
import { writeTorch } from '../../src/format/torch-writer.ts';
import { architecture } from '../../src/graph/networks/architectures.ts';
import { createNetwork } from '../../src/graph/torch/network.ts';
import { exportCheckpoint } from '../../src/train/model/export-checkpoint.ts';
import { loadWeights } from '../../src/train/model/initial-weights.ts';
import { readBackbone } from '../../src/train/model/read-backbone.ts';
import { fixtureFile, fixtureJson } from '../support/fixtures.ts';
import { pyTorch, withoutPyTorch } from '../support/python.ts';
import { describeTraining, goldenTensor, u01 } from './golden.ts';
import { temporaryFolder } from './small-set.ts';

const images = u01('input', 2 * 3 * 112 * 112);

async function onnxFeatures(model: Uint8Array): Promise<Float32Array> {
  const session = await InferenceSession.create(model);
  const [input = ''] = session.inputNames;
  const { embedding } = await session.run({ [input]: new Tensor('float32', images, [2, 3, 112, 112]) });
  await session.release();
  return embedding!.data as Float32Array;
}

async function torchFeatures(file: string, arch: string, length: number): Promise<Float32Array> {
  const network = createNetwork(architecture(arch, length), 1);
  await loadWeights(network, file);
  using _scope = scope();
  using _grad = noGrad();
  const features = network.forward(fromArray(images, [2, 3, 112, 112]), { training: false });
  return features.toArray() as Float32Array;
}

/** Greatest difference, in magnitudes of the expected feature. */
function difference(actual: Float32Array, expected: readonly (readonly number[])[]): number {
  const [length, worst] = [expected[0]!.length, [] as number[]];
  for (const [row, feature] of expected.entries()) {
    const gaps = feature.map((value, i) => Math.abs(actual[row * length + i]! - value));
    worst.push(Math.max(...gaps) / Math.hypot(...feature));
  }
  return Math.max(...worst);
}

const names = ['distributed', 'single_process_legacy'];
const fileOf = (name: string): string => fixtureFile(`torch/${name}.pth`);
const expectedFeatures = (): number[][] => fixtureJson<{ features: number[][] }>('torch/iresnet18.json').features;

/** iResNet-18 in evaluation, by the names of the official state_dict; the features of a file of float32 images. */
const iresnet18 = `
from torch.nn import functional as F
w = {name[len(sys.argv[3]):]: value for name, value in load(sys.argv[1])['state_dict'].items() if name.startswith(sys.argv[3])}
def bn(x, name):
    return F.batch_norm(x, *(w[name + '.' + part] for part in ('running_mean', 'running_var', 'weight', 'bias')), eps=2e-5)
def block(x, name, stride):
    y = F.conv2d(bn(x, name + '.bn1'), w[name + '.conv1.weight'], padding=1)
    y = F.prelu(bn(y, name + '.bn2'), w[name + '.prelu.weight'])
    y = bn(F.conv2d(y, w[name + '.conv2.weight'], stride=stride, padding=1), name + '.bn3')
    if stride == 2: x = bn(F.conv2d(x, w[name + '.downsample.0.weight'], stride=2), name + '.downsample.1')
    return x + y
x = torch.frombuffer(bytearray(open(sys.argv[2], 'rb').read()), dtype=torch.float32).reshape(-1, 3, 112, 112)
x = F.prelu(bn(F.conv2d(x, w['conv1.weight'], padding=1), 'bn1'), w['prelu.weight'])
for layer in range(1, 5):
    for i in range(2): x = block(x, 'layer%d.%d' % (layer, i), 2 - i)
x = F.linear(bn(x, 'bn2').flatten(1), w['fc.weight'], w['fc.bias'])
print(json.dumps(bn(x, 'features').tolist()))
`;

describe('checkpoints in the official layouts', () => {
  test.each(names)('%s: .pth to .onnx keeps the features within 1e-4', async (name) => {
    const model = await exportCheckpoint(fileOf(name));
    expect(difference(await onnxFeatures(model), expectedFeatures())).toBeLessThan(1e-4);
  });

  test('arch and length are found from the tensors', async () => {
    const { architecture: found } = await readBackbone(fileOf('distributed'));
    expect(found).toMatchObject({ name: 'iresnet18', embeddingLength: 512 });
    await expect(readBackbone(fileOf('distributed'), 'iresnet34')).rejects.toThrow(FormatError);
    const other = join(temporaryFolder(), 'other.pth');
    await writeTorch(other, { w: float32Tensor([1], Float32Array.of(1)) });
    await expect(readBackbone(other)).rejects.toThrow(ConfigError);
  });

  const title = withoutPyTorch === undefined ? '' : ` [skipped: ${withoutPyTorch}]`;
  test.skipIf(withoutPyTorch !== undefined).each(names)(
    `%s: PyTorch loads a rewritten .pth and computes the same features${title}`,
    async (name) => {
      const [back, input] = [join(temporaryFolder(), 'back.pth'), join(temporaryFolder(), 'input.bin')];
      await convertTensors(fileOf(name), back, { optimizer: false }); // whose floats the safe mode of PyTorch 1.13 does not know
      writeFileSync(input, images);
      const prefix = name === 'distributed' ? 'features.module.' : 'module.features.';
      const features = pyTorch<number[][]>(iresnet18, [back, input, prefix]);
      expect(difference(Float32Array.from(features.flat()), expectedFeatures())).toBeLessThan(1e-4);
    },
  );
});

describeTraining("a MobileFaceNet with its project's own names", () => {
  test("gives PyTorch's features in libtorch and as ONNX", async () => {
    const golden = fixtureJson<{ shapes: Record<string, number[]>; features: number[][] }>('torch/mobilefacenet.json');
    const tensors = Object.entries(golden.shapes).map(([name, shape]) => [
      name,
      float32Tensor(shape, goldenTensor(name, shape)),
    ]);
    const file = join(temporaryFolder(), 'mobilefacenet.pth');
    // The published file has this bias, which the BatchNorm behind it makes void; the project's own export leaves it out.
    await writeTorch(file, {
      ...Object.fromEntries(tensors),
      'conv3.bias': float32Tensor([128], new Float32Array(128).fill(5)),
    });
    expect(difference(await torchFeatures(file, 'mobilefacenet-relu6', 128), golden.features)).toBeLessThan(1e-4);
    expect((await readBackbone(file)).architecture).toMatchObject({
      name: 'mobilefacenet-relu6',
      embeddingLength: 128,
    });
    expect(difference(await onnxFeatures(await exportCheckpoint(file)), golden.features)).toBeLessThan(1e-4);
  });
});
