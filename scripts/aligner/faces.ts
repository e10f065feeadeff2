/** Training faces: images with the transform from the template to their pixels. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tensor } from 'onnxruntime-common';
import { alignmentMatrix } from '../../packages/magface/src/align.ts';
import type { DetectedFace } from '../../packages/magface/src/face.ts';
import { mergeFaces } from '../../packages/magface/src/infer/look.ts';
import { readImage } from '../../packages/magface/src/infer/node/read-image.ts';
import { createSession } from '../../packages/magface/src/infer/node/session.ts';
import { drawRegion, faceInImage, type Region } from '../../packages/magface/src/infer/scene.ts';
import { inputFiller, type Session } from '../../packages/magface/src/infer/session.ts';
import { yunet } from '../../packages/magface/src/infer/yunet.ts';
import { loadModel } from '../../packages/magface/src/models/load-model.ts';
import type { Pixels } from '../../packages/magface/src/pixels.ts';
import { fromMatrix, identity, inverse, type Similarity } from './similarity.ts';

export interface Face {
  readonly image: Pixels;
  /** Maps the template to the image. */
  readonly place: Similarity;
  /** Whether the image is only the crop, so that surroundings must be synthesized. */
  readonly isCrop: boolean;
  /** Relative sampling frequency. */
  readonly weight: number;
}

/** Crops of LFW and CelebA from their training lists; their alignment is the reference. */
export async function alignedFaces(folder: string): Promise<Face[]> {
  const faces: Face[] = [];
  for (const set of ['lfw', 'celeba']) {
    for (const line of readFileSync(join(folder, set, 'train.list'), 'utf8')
      .trim()
      .split('\n')) {
      const image = await readImage(join(folder, set, line.split(' ')[0]!));
      faces.push({ image, place: identity, isCrop: true, weight: 1 });
    }
  }
  return faces;
}

/** Sizes of the longer side and of the black frame around it at which YuNet's alignment suits recognisers best. */
const looks = [
  [256, 352],
  [320, 448],
] as const;

/** The first 50 people of CFP, frontal and profile, aligned by the mean of two YuNet detections. */
export async function unalignedFaces(folder: string): Promise<Face[]> {
  const model = await loadModel('yunet', { kind: 'detector' });
  const session = await createSession(model.bytes, { name: 'yunet', threads: 1 });
  const faces: Face[] = [];
  for (let person = 1; person <= 50; person++) {
    for (const [kind, count, weight] of [
      ['frontal', 10, 5],
      ['profile', 4, 10],
    ] as const) {
      for (let i = 1; i <= count; i++) {
        const name = `${`${person}`.padStart(3, '0')}/${kind}/${`${i}`.padStart(2, '0')}.jpg`;
        const image = await readImage(join(folder, 'cfp-dev', name));
        const place = await meanPlace(session, image);
        if (place !== undefined) faces.push({ image, place, isCrop: false, weight });
      }
    }
  }
  await session.release();
  return faces;
}

async function meanPlace(session: Session, image: Pixels): Promise<Similarity | undefined> {
  const found: Similarity[] = [];
  for (const [side, frame] of looks) {
    const scale = side / Math.max(image.width, image.height);
    const [x, y] = [image.width, image.height].map((length) => (length - frame / scale) / 2) as [number, number];
    const face = await largestFace(session, image, { x, y, scale, width: frame, height: frame });
    if (face !== undefined) found.push(inverse(fromMatrix(alignmentMatrix(face.landmarks))));
  }
  if (found.length === 0) return undefined;
  const mean = (key: keyof Similarity): number => found.reduce((sum, one) => sum + one[key], 0) / found.length;
  return { real: mean('real'), imaginary: mean('imaginary'), x: mean('x'), y: mean('y') };
}

async function largestFace(session: Session, image: Pixels, region: Region): Promise<DetectedFace | undefined> {
  const { width, height } = region;
  const values = new Float32Array(3 * width * height);
  const contract = { layout: 'NCHW', channelOrder: 'BGR', mean: [0, 0, 0], scale: [1, 1, 1], width, height } as const;
  inputFiller(contract)(drawRegion(image, region), values, 0);
  const input = new Tensor('float32', values, [1, 3, height, width]);
  const outputs = await session.run({ [session.inputNames[0]!]: input }, session.outputNames);
  const faces = mergeFaces(yunet.decode((name) => outputs[name]!.data as Float32Array, region, 0.3));
  const area = ({ box }: DetectedFace): number => box.width * box.height;
  return faces.map((face) => faceInImage(face, region)).sort((a, b) => area(b) - area(a))[0];
}
