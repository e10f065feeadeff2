import { readFile } from 'node:fs/promises';
import { Tensor } from 'onnxruntime-common';
import { InferenceSession } from 'onnxruntime-node';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { alignmentMatrix, inverseOf, mapped, template } from '../../src/align.ts';
import type { AffineMatrix, DetectedFace, Landmarks, Point } from '../../src/face.ts';
import { type Aligner, createAligner, middle } from '../../src/infer/aligner.ts';
import type { Detector } from '../../src/infer/detector.ts';
import { readImage } from '../../src/infer/node/read-image.ts';
import { loadModel } from '../../src/models/load-model.ts';
import { blankPixels } from '../../src/pixels.ts';
import { openYunet } from '../support/detectors.ts';
import { samplePhoto } from '../support/sample-photos.ts';

/** Where the template's points lie in the image. */
function pointsOf(alignment: AffineMatrix): Point[] {
  const back = inverseOf(alignment);
  return template.map((point) => mapped(back, point));
}

const distance = ([x, y]: Point, [u, v]: Point): number => Math.hypot(x - u, y - v);
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const face: DetectedFace = {
  box: { x: 0, y: 0, width: 112, height: 112 },
  landmarks: template,
  mouth: 'corners',
  detection: 1,
};

describe("the network's outputs", () => {
  const contract = {
    kind: 'aligner',
    input: { width: 80, height: 80, layout: 'NCHW', channelOrder: 'RGB', mean: [0, 0, 0], scale: [1, 1, 1] },
  } as const;
  const answering = (output: string, answer: readonly number[]) => {
    let runs = 0;
    return {
      inputNames: ['input'],
      outputNames: [output],
      run: async () => {
        const values = Float32Array.from(runs++ === 0 ? answer : answer.map(() => 0));
        return { [output]: new Tensor('float32', values, [1, values.length]) };
      },
      release: async () => undefined,
    };
  };

  test('outputs of zero keep the alignment by landmarks', async () => {
    const aligner = createAligner(answering('alignment', [0, 0, 0, 0, 0]), contract, { name: 'still' });
    const [matrix] = await aligner.align(blankPixels(112, 112), [face]);
    const expected = alignmentMatrix(template);
    for (const row of [0, 1] as const)
      for (const i of [0, 1, 2] as const) expect(matrix![row][i]).toBeCloseTo(expected[row][i], 9);
  });

  test('landmarks that differ in their last bits give the same alignment, on a grid of 1/16 pixel', async () => {
    const aligner = createAligner(answering('alignment', [0, 0, 0, 0, 0]), contract, { name: 'still' });
    const scaled = (by: number, off: number): DetectedFace => ({
      ...face,
      landmarks: template.map(([x, y]): Point => [by * x + 33.3 + off, by * y + 21.9 - off]) as unknown as Landmarks,
    });
    for (const by of [0.31, 1.7, 9.3]) {
      const [one] = await aligner.align(blankPixels(112, 112), [scaled(by, 0)]);
      const [other] = await aligner.align(blankPixels(112, 112), [scaled(by, 1e-5)]);
      expect(other).toEqual(one);
      for (const [i, point] of scaled(by, 0).landmarks.entries())
        expect(distance(mapped(one!, point), template[i]!)).toBeLessThan(0.12);
    }
  });

  test('a cut that is shifted by 3 pixels, 1.3 times too large and rotated is corrected', async () => {
    const [scale, angle] = [1.3, 0.2];
    const [real, imaginary] = [scale * Math.cos(angle), scale * Math.sin(angle)];
    const answer = [(real - 1) / 0.3, imaginary / 0.4, 3 / 15, -2 / 15, 0];
    const aligner = createAligner(answering('alignment', answer), contract, { name: 'turning' });
    const [matrix] = await aligner.align(blankPixels(112, 112), [face]);
    for (const [x, y] of template) {
      const [u, v] = [x - middle[0], y - middle[1]];
      const inCut: Point = [real * u - imaginary * v + middle[0] + 3, imaginary * u + real * v + middle[1] - 2];
      expect(distance(mapped(matrix!, inCut), [x, y])).toBeLessThan(0.12);
    }
  });

  test('wrong outputs raise a model error that names the network', async () => {
    const aligner = createAligner(answering('boxes', [1, 2]), contract, { name: 'other.onnx' });
    await expect(aligner.align(blankPixels(112, 112), [face])).rejects.toMatchObject({
      code: 'model_run_failed',
      message: expect.stringContaining('other.onnx'),
    });
  });
});

describe('the included aligner', () => {
  let aligner: Aligner;
  let detector: Detector;
  beforeAll(async () => {
    const model = await loadModel('face-aligner', { kind: 'aligner' });
    const session = await InferenceSession.create(await readFile(model.path), { logSeverityLevel: 3 });
    aligner = createAligner(session, model.contract, { name: model.name });
    detector = await openYunet();
  });
  afterAll(async () => {
    await aligner[Symbol.asyncDispose]();
    await detector[Symbol.asyncDispose]();
  });

  test('finds nearly the same crop from landmarks that are off by a tenth of the face', async () => {
    const image = await readImage(samplePhoto(6));
    const faces = await detector.detect(image);
    const moved = faces.map((found): DetectedFace => {
      const eyes = distance(found.landmarks[0], found.landmarks[1]);
      const points = found.landmarks.map(([x, y]): Point => [x + 0.15 * eyes, y - 0.1 * eyes]);
      return { ...found, landmarks: points as unknown as Landmarks };
    });
    const [usual, other] = [await aligner.align(image, faces), await aligner.align(image, moved)];
    const off = usual.map((matrix, i) =>
      mean(pointsOf(other[i]!).map((point, j) => distance(mapped(matrix, point), template[j]!))),
    );
    // The landmarks were moved by 6.3 pixels of the crop.
    expect(mean(off)).toBeLessThan(2);
  });

  test('finds the same crop in a rotated photo', async () => {
    const upright = await readImage(samplePhoto(6));
    const turned = await readImage(await sharp(samplePhoto(6)).rotate(90).png().toBuffer());
    const before = await aligner.align(upright, await detector.detect(upright));
    const after = await aligner.align(turned, await detector.detect(turned));
    expect(after).toHaveLength(before.length);
    const back = ([x, y]: Point): Point => [y, turned.width - 1 - x];
    for (const matrix of before) {
      const nearest = after.map((other) =>
        mean(pointsOf(other).map((point, i) => distance(mapped(matrix, back(point)), template[i]!))),
      );
      expect(Math.min(...nearest)).toBeLessThan(3);
    }
  });
});
