import { Tensor } from 'onnxruntime-common';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import {
  type EyesAndMouthName,
  eyesAndMouth,
  eyesAndMouthScores,
  landmarksModel,
  openLandmarker,
} from '../../../src/eval/methods/eyes-and-mouth.ts';
import { openMethod, openMethods } from '../../../src/eval/methods/open-methods.ts';
import type { Point } from '../../../src/face.ts';
import { MagFace } from '../../../src/infer/node/magface.ts';
import { createSession } from '../../../src/infer/node/session.ts';
import { inputFiller } from '../../../src/infer/session.ts';
import { loadModel } from '../../../src/models/load-model.ts';
import { fixtureBytes, fixtureText } from '../../support/fixtures.ts';
import { samplePhoto } from '../../support/sample-photos.ts';

test('the network finds what face-api’s own finds', async () => {
  const { bytes, name, contract } = await loadModel(landmarksModel, { kind: 'landmarker' });
  const session = await createSession(bytes, { name, threads: 1 });
  const expected = JSON.parse(fixtureText('landmarks/expected.json')) as number[][];
  for (const [face, points] of expected.entries()) {
    const { data } = await sharp(fixtureBytes(`alignment/${face}.png`))
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const values = new Float32Array(3 * 112 * 112);
    inputFiller(contract.input)({ data: new Uint8Array(data), width: 112, height: 112 }, values, 0);
    const feeds = { [session.inputNames[0]!]: new Tensor('float32', values, [1, 3, 112, 112]) };
    const found = (await session.run(feeds, session.outputNames))[session.outputNames[0]!]!.data as Float32Array;
    expect([...found]).toEqual(points.map((value) => expect.closeTo(value, 5)));
  }
  await session.release();
});

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
  expect(eyesAndMouth('eyes-open', face).raw).toBeCloseTo(0.03, 12);
  expect(eyesAndMouth('mouth-closed', face)).toEqual({ raw: expect.closeTo(0.2, 12), score: expect.closeTo(50, 9) });
  const turned = face.map(([x, y]): Point => [-3 * y, 3 * x]);
  expect(eyesAndMouth('eyes-open', turned).raw).toBeCloseTo(0.03, 12);
});

test.each([
  ['eyes-open', 'EyesOpen'],
  ['mouth-closed', 'MouthClosed'],
] as const)("%s maps OFIQ's 28 published values of %s to its published scores", (name, column) => {
  const [header, ...rows] = fixtureText('ofiq_expected_results.csv')
    .trim()
    .split('\n')
    .map((line) => line.split(';'));
  const of = (title: string): number[] => rows.map((row) => Number(row[header!.indexOf(title)]));
  expect(of(column)).toHaveLength(28);
  expect(of(column).map((raw) => Math.round(eyesAndMouthScores[name](raw)))).toEqual(of(`${column}.scalar`));
});

test('asked for together, both share one run of the network for a face', async () => {
  await using magface = await MagFace.load({ threads: 1 });
  const faces = await magface.analyze(samplePhoto(1));
  await using landmarker = await openLandmarker(magface.engine);
  const crops = faces.map(({ crop }) => crop);
  const first = await landmarker.find(crops);
  for (const { data } of crops) data.fill(0); // a second run would see black
  expect(await landmarker.find([...crops].reverse())).toEqual([...first].reverse());
  const again = await magface.analyze(samplePhoto(1));
  await using both = await openMethods(['eyes-open', 'size', 'mouth-closed'], magface);
  const [one] = await both.measure(again);
  expect(one).toMatchObject({
    'eyes-open': eyesAndMouth('eyes-open', first[0]!).score,
    'mouth-closed': eyesAndMouth('mouth-closed', first[0]!).score,
  });
});

test('as methods, both score faces that look at the camera with their mouths nearly closed', async () => {
  await using magface = await MagFace.load({ threads: 1 });
  const faces = await magface.analyze(samplePhoto(1));
  const least = async (name: EyesAndMouthName): Promise<number> => {
    await using method = await openMethod(name, magface);
    const scores = await method.measure(faces);
    expect(scores).toHaveLength(faces.length);
    return Math.min(...scores);
  };
  expect(await least('eyes-open')).toBeGreaterThan(95);
  expect(await least('mouth-closed')).toBeGreaterThan(70);
});
