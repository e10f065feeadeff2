/**
 * Trains with your own loop. Run: npx tsx -C magface:source examples/own-loop.ts FOLDER_OR_LIST [STEPS]
 */
import { writeFileSync } from 'node:fs';
import { autocast, fromArray, Generator, Sgd, scope, zeros } from '@magface/torch';
import { architecture, createNetwork, exportOnnx, Loader, magfaceLoss, readDataset, toImages } from 'magface/train';

const [source = 'faces', steps = '10'] = process.argv.slice(2);
const dataset = readDataset(source);
await using loader = new Loader(dataset, { batchSize: Math.min(16, dataset.samples.length), seed: 1 });
const random = new Generator(1);
const description = architecture('mobilefacenet');
const network = createNetwork(description, 1);
const centers = zeros([512, dataset.classes]).uniform_({ from: -1, to: 1, generator: random });
centers.requiresGrad = true;
const optimizer = new Sgd([...network.weights.values(), centers]);

let done = 0;
for (let epoch = 0; done < Number(steps); epoch++) {
  for await (const batch of loader.batches(epoch)) {
    if (done++ >= Number(steps)) break;
    using _step = scope(); // frees all tensors of the step
    optimizer.zeroGrad();
    const forward = () => {
      using _ = autocast('bfloat16');
      return network.forward(toImages(batch.faces), { training: true, generator: random });
    };
    const loss = magfaceLoss(forward(), centers, fromArray(batch.labels), { lambdaG: 35 });
    loss.total.backward();
    optimizer.step({ lr: 0.02, momentum: 0.9, weightDecay: 5e-4 });
    console.log(
      `step ${done}: loss ${loss.total.item().toFixed(3)}, magnitude ${loss.magnitudes.mean().item().toFixed(2)}`,
    );
  }
}

const weights = new Map([...network.tensors].map(([name, tensor]) => [name, tensor.toArray() as Float32Array]));
writeFileSync('own-loop.onnx', exportOnnx(description, weights));
