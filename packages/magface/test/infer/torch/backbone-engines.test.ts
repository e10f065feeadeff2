/** The networks of docs/backbones.md in the three engines: Node's and the browser's ONNX Runtime, and libtorch. */
import { compare } from 'magface';
import { Tensor } from 'onnxruntime-common';
import { env, InferenceSession } from 'onnxruntime-web/wasm';
import { expect, test } from 'vitest';
import { architecture, architectureNames } from '../../../src/graph/networks/architectures.ts';
import { forwardPlan } from '../../../src/graph/torch/forward-plan.ts';
import { createNetwork } from '../../../src/graph/torch/network.ts';
import { createSession } from '../../../src/infer/node/session.ts';
import { closable, type Session } from '../../../src/infer/session.ts';
import { createTorchSession } from '../../../src/infer/torch/torch-session.ts';
import { exportOnnx } from '../../../src/train/model/onnx-export.ts';
import { isPlanned } from '../../support/backbone-page.ts';
import { describeTraining, u01 } from '../../train/golden.ts';

env.wasm.numThreads = 1;
const dims = [2, 3, 112, 112];
const faces = u01('engines', 2 * 3 * 112 * 112);
const length = 32;

/** The others have the same layers as one of these, and more of them. */
const names = ['iresnet18', 'irse50', 'mobilefacenet-quarter', 'mobilefacenet-relu6', 'mbf', 'ghostfacenet-v1-2', 'ghostfacenet-v2-2', 'mixfacenet-xs', 'pocketnet-s-128', 'edgeface-xxs', 'edgeface-xs-gamma-06', 'vit-t'] as const; // biome-ignore format: one list

async function embedded(session: Session): Promise<Float32Array[]> {
  const feeds = { [session.inputNames[0]!]: new Tensor('float32', faces.slice(), dims) };
  const { data } = (await session.run(feeds, ['embedding']))['embedding']!;
  await session.release();
  return [0, 1].map((row) => (data as Float32Array).slice(row * length, (row + 1) * length));
}

describeTraining('backbones in all engines', () => {
  test('at least one of each family is tried', () => {
    const familyOf = (name: string): string => name.split(/[-0-9]/)[0]!;
    expect(new Set(names.map(familyOf))).toEqual(new Set(architectureNames.map(familyOf)));
  });

  test.each(names)('%s', async (name) => {
    const description = architecture(name, length);
    const network = createNetwork(description, 1);
    const weights = new Map([...network.tensors].map(([key, tensor]) => [key, tensor.toArray() as Float32Array]));
    for (const tensor of network.tensors.values()) tensor.dispose();
    const bytes = exportOnnx(description, weights);
    const canPlan = (() => {
      try {
        return forwardPlan(bytes, name).steps.length > 0;
      } catch {
        return false;
      }
    })();
    expect(canPlan, 'packed, as the page says').toBe(isPlanned(name));
    const node = await embedded(await createSession(bytes, { name, threads: 1 }));
    const browser = await embedded(closable((await InferenceSession.create(bytes)) as unknown as Session));
    const torch = await embedded(createTorchSession(bytes, { name, threads: 1 }));
    for (const row of [0, 1]) {
      expect(compare(node[row]!, browser[row]!)).toBeGreaterThan(0.999999);
      expect(compare(node[row]!, torch[row]!)).toBeGreaterThan(canPlan ? 0.9995 : 0.999999);
    }
  });
});
