/** Inference whose faces are known, for tests of what stands around it: the image's text says what becomes of it. */
import { template } from '../../src/align.ts';
import { ImageError } from '../../src/errors.ts';
import type { ServedFace, ServedModels } from '../../src/serve/analyze-request.ts';
import type { InferenceQueue } from '../../src/serve/inference-queue.ts';

const models = {
  recogniser: {
    name: 'fake',
    id: undefined,
    path: '',
    digest: 'f'.repeat(64),
    assumed: ['nothing'],
    contract: {
      kind: 'recogniser',
      input: { width: 112, height: 112, layout: 'NCHW', channelOrder: 'RGB', mean: [0, 0, 0], scale: [1, 1, 1] },
      template: 'arcface-112',
      embeddingLength: 2,
      thresholds: [{ fmr: 0.001, threshold: 0.5, set: 'made up' }],
    },
  },
  detector: { name: 'eyes', id: 'eyes', path: '', digest: 'e'.repeat(64), assumed: [], contract: { kind: 'detector' } },
} as unknown as ServedModels;

/** @param angle - of the embedding, in degrees */
export function face(angle: number, length = 5): ServedFace {
  const radians = (angle * Math.PI) / 180;
  return {
    box: { x: 1, y: 2, width: 30, height: 40 },
    landmarks: template,
    detection: 0.9,
    embedding: Float32Array.of(length * Math.cos(radians), length * Math.sin(radians)),
    magnitude: length,
    quality: 50,
    reasons: [{ code: 'blurred', value: 3.2 }],
    estimates: [],
  };
}

/** `face ANGLE` is a face, `faces ANGLE ANGLE` are several, `none` is no face, `wait` waits until the client goes away or its time is over. */
export function fakeInference(overrides: Partial<InferenceQueue> = {}): InferenceQueue {
  return {
    models,
    waiting: 0,
    ended: new Promise(() => undefined),
    analyze: async (image, { maxFaces }, { name, signal }) => {
      const [what, angle, ...angles] = Buffer.from(image).toString('latin1').split(' ');
      if (what === 'wait')
        await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      if (what === 'face') return { image: { width: 100, height: 80 }, faces: [face(Number(angle))] };
      if (what === 'faces')
        return {
          image: { width: 100, height: 80 },
          faces: [angle, ...angles].slice(0, maxFaces).map((degrees) => face(Number(degrees))),
        };
      if (what === 'none') return { image: { width: 100, height: 80 }, faces: [] };
      throw new ImageError('image_unreadable', name, {
        expected: 'an image',
        subject: name,
        problem: 'is text',
        remedy: 'convert it first',
      });
    },
    expectRoom: () => undefined,
    close: async () => undefined,
    ...overrides,
  };
}
