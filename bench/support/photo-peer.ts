/**
 * What a user would write without this project: one pass of YuNet over a photo scaled to 640 pixels, aligned crops and the
 * recogniser, with sharp and ONNX Runtime at their defaults, photo by photo. `tsx photo-peer.ts FILE...` prints one line per
 * photo.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';
import { alignmentMatrix, warp } from '../../packages/magface/src/align.ts';
import type { Landmarks } from '../../packages/magface/src/face.ts';
import { mergeFaces } from '../../packages/magface/src/infer/look.ts';
import { yunet } from '../../packages/magface/src/infer/yunet.ts';

const side = 640;
const file = (name: string): Uint8Array =>
  readFileSync(fileURLToPath(new URL(`../../packages/magface/models/${name}.onnx`, import.meta.url)));

/** @returns a function from a photo's path to the magnitudes of its faces */
export async function openPeer(): Promise<(path: string) => Promise<number[]>> {
  const detector = await InferenceSession.create(file('yunet'), { logSeverityLevel: 3 });
  const recogniser = await InferenceSession.create(file('magface-small'), { logSeverityLevel: 3 });
  return async (path) => {
    const { data, info } = await sharp(path).raw().toBuffer({ resolveWithObject: true });
    const raw = { width: info.width, height: info.height, channels: 3 } as const;
    const small = await sharp(data, { raw })
      .resize(side, side, { fit: 'contain', position: 'left top', background: 'black' })
      .raw()
      .toBuffer();
    const view = planar(small, side, 1, 0, true);
    const outputs = await detector.run({ [detector.inputNames[0]!]: new Tensor('float32', view, [1, 3, side, side]) });
    const found = mergeFaces(
      yunet.decode((name) => outputs[name]!.data as Float32Array, { width: side, height: side }, 0.6),
    );
    if (found.length === 0) return [];
    const scale = Math.max(info.width, info.height) / side;
    const values = new Float32Array(found.length * 3 * 112 * 112);
    for (const [i, { landmarks }] of found.entries()) {
      const inPhoto = landmarks.map(([x, y]) => [x * scale, y * scale]) as unknown as Landmarks;
      const crop = warp({ data, width: info.width, height: info.height }, alignmentMatrix(inPhoto));
      values.set(planar(crop.data, 112, 1 / 128, 127.5, false), i * 3 * 112 * 112);
    }
    const input = new Tensor('float32', values, [found.length, 3, 112, 112]);
    const output = (await recogniser.run({ [recogniser.inputNames[0]!]: input }))['embedding']!.data as Float32Array;
    const length = output.length / found.length;
    return found.map((_, i) => Math.hypot(...output.subarray(i * length, (i + 1) * length)));
  };
}

/** (3, size, size) float32 from interleaved pixels, optionally BGR. */
function planar(data: ArrayLike<number>, size: number, scale: number, mean: number, bgr: boolean): Float32Array {
  const plane = size * size;
  const values = new Float32Array(3 * plane);
  for (let p = 0; p < plane; p++)
    for (let c = 0; c < 3; c++) values[c * plane + p] = (data[3 * p + (bgr ? 2 - c : c)]! - mean) * scale;
  return values;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const facesOf = await openPeer();
  for (const path of process.argv.slice(2)) console.log(`${path},${(await facesOf(path)).length}`);
}
