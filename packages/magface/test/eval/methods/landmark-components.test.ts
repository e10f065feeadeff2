import { expect, test } from 'vitest';
import {
  type LandmarkComponentName,
  landmarkComponent,
  landmarkScores,
} from '../../../src/eval/methods/landmark-components.ts';
import { openMethod } from '../../../src/eval/methods/open-methods.ts';
import type { Point } from '../../../src/face.ts';
import { MagFace } from '../../../src/infer/node/magface.ts';
import { ofiqColumn } from '../../support/ofiq-table.ts';
import { samplePhoto } from '../../support/sample-photos.ts';

const photo = { width: 400, height: 400 };

/** A face of height 100 from the eyes to the chin. */
function landmarks({ right, left, mouth }: { right: number; left: number; mouth: number }): Point[] {
  const points: Point[] = Array.from({ length: 68 }, () => [0, 0]);
  for (const [corner, x] of [
    [36, -30],
    [39, -10],
    [42, 10],
    [45, 30],
  ] as const)
    points[corner] = [x, 0];
  points[8] = [0, 100];
  for (const [lid, opening, side] of [
    [37, right, -1],
    [43, left, 1],
  ] as const) {
    points[lid] = [side * 20, -opening / 2];
    points[lid === 37 ? 41 : 47] = [side * 20, opening / 2];
  }
  points[62] = [0, 60];
  points[66] = [0, 60 + mouth];
  return points;
}

test('the narrower eye counts, and the widest gap of the lips, by the height of the face', () => {
  const face = landmarks({ right: 7, left: 3, mouth: 20 });
  const measure = (name: LandmarkComponentName, points = face) => landmarkComponent(name, points, photo);
  expect(measure('eyes-open').raw).toBeCloseTo(0.03, 12);
  expect(measure('mouth-closed')).toEqual({ raw: expect.closeTo(0.2, 12), score: expect.closeTo(50, 9) });
  const turned = face.map(([x, y]): Point => [-3 * y, 3 * x]);
  expect(measure('eyes-open', turned).raw).toBeCloseTo(0.03, 12);
});

test('head and crops count heights from the eyes to the chin', () => {
  const points = landmarks({ right: 7, left: 3, mouth: 20 }).map(([x, y]): Point => [x + 200, y + 140]);
  const measure = (name: LandmarkComponentName) => landmarkComponent(name, points, photo);
  expect(measure('head-size').raw).toBeCloseTo(0.25, 12);
  expect(measure('upward-crop').raw).toBeCloseTo(2.6, 12);
  expect(measure('downward-crop')).toEqual({ raw: expect.closeTo(1.4, 12), score: expect.closeTo(50, 9) });
});

test.each([
  ['eyes-open', 'EyesOpen'],
  ['mouth-closed', 'MouthClosed'],
  ['head-size', 'HeadSize'],
  ['upward-crop', 'UpwardCropOfTheFaceImage'],
  ['downward-crop', 'DownwardCropOfTheFaceImage'],
] as const)("%s maps OFIQ's 28 published values of %s to its published scores", (name, column) => {
  expect(ofiqColumn(column)).toHaveLength(28);
  expect(ofiqColumn(column).map((raw) => Math.round(landmarkScores[name](raw)))).toEqual(
    ofiqColumn(`${column}.scalar`),
  );
});

test('as methods, they score faces of a photo that look at the camera with their mouths nearly closed', async () => {
  await using magface = await MagFace.load({ threads: 1 });
  const faces = await magface.analyze(samplePhoto(1));
  const least = async (name: LandmarkComponentName): Promise<number> => {
    await using method = await openMethod(name, magface);
    const scores = await method.measure(faces);
    expect(scores).toHaveLength(faces.length);
    return Math.min(...scores);
  };
  expect(await least('eyes-open')).toBeGreaterThan(95);
  expect(await least('mouth-closed')).toBeGreaterThan(70);
  expect(await least('downward-crop')).toBeGreaterThan(50);
  const aligned = await magface.analyze(faces[0]!.crop, { aligned: true }); // shows nothing of the photo around the face
  await using cropped = await openMethod('downward-crop', magface);
  expect(await cropped.measure(aligned)).toEqual([-1]);
});
