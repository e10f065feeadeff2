/**
 * Faces of a photo on a device of ONNX Runtime beside the CPU: `npx tsx -C magface:source bench/device.ts DEVICE ADAPTER`. ADAPTER
 * says in words what the device is. Without a GPU, Chromium's software adapter shows that `webgpu` computes the same:
 * VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json.
 */
import { join } from 'node:path';
import type { Device } from '../packages/magface/src/infer/node/device-names.ts';
import { MagFace } from '../packages/magface/src/infer/node/magface.ts';
import { compare } from '../packages/magface/src/similarity.ts';
import { researchFolder } from './support/data.ts';
import { writeResult } from './support/result.ts';

const [device, adapter] = process.argv.slice(2) as [Device, string];
const photo = join(researchFolder('photos'), 'photos/couple.jpg');

async function facesOn(on: Device) {
  await using magface = await MagFace.load({ device: on });
  return await magface.analyze(photo);
}
const [onCpu, onDevice] = [await facesOn('cpu'), await facesOn(device)];
const most = (values: readonly number[]): number => Number(Math.max(...values).toPrecision(3));
writeResult(`device-${device}`, {
  device,
  adapter,
  faces: onCpu.length,
  facesOnDevice: onDevice.length,
  leastCosine: Math.min(...onCpu.map(({ embedding }, i) => compare(embedding, onDevice[i]!.embedding))),
  magnitudesWithin: most(onCpu.map(({ magnitude }, i) => Math.abs(onDevice[i]!.magnitude / magnitude - 1))),
  boxesWithinPixels: most(onCpu.map(({ box }, i) => Math.abs(onDevice[i]!.box.x - box.x))),
  note: 'the networks of detection, alignment and recognition, each also compared with the CPU when it was opened',
});
