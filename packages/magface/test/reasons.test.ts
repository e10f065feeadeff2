import { readFileSync } from 'node:fs';
import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { alignmentMatrix, template, warp } from '../src/align.ts';
import type { Landmarks, Point, ReasonCode } from '../src/face.ts';
import type { Pixels } from '../src/pixels.ts';
import { describeReason, type FaceView, findReasons } from '../src/reasons.ts';
import { samplePhoto } from './support/sample-photos.ts';
import { describeWithShared, shared } from './support/shared.ts';

/** A checkered face: sharp, neither dark nor bright. */
function checkered(low = 90, high = 160): Pixels {
  const data = new Uint8Array(3 * 112 * 112);
  for (let i = 0; i < 112 * 112; i++)
    data.fill((((i % 112) >> 2) + (Math.floor(i / 112) >> 2)) % 2 === 0 ? low : high, 3 * i, 3 * i + 3);
  return { data, width: 112, height: 112 };
}
const flat = (value: number): Pixels => checkered(value, value);
/** A face that lies where its landmarks say. */
const seen = (face: Omit<FaceView, 'alignment'>): FaceView => ({ ...face, alignment: alignmentMatrix(face.landmarks) });
const ordinary: FaceView = seen({
  crop: checkered(),
  box: { x: 20, y: 20, width: 70, height: 80 },
  landmarks: template,
  image: { width: 112, height: 112 },
});
const scaled = (scale: number): Landmarks =>
  template.map(([x, y]): Point => [x * scale, y * scale]) as unknown as Landmarks;
const codes = (face: FaceView): ReasonCode[] => findReasons(face).map(({ code }) => code);

describe('findReasons', () => {
  test('finds nothing wrong with an ordinary face', () => {
    expect(findReasons(ordinary)).toEqual([]);
  });
  test("gives each rule's code and value", () => {
    expect(findReasons(seen({ ...ordinary, landmarks: scaled(0.5) }))).toEqual([
      { code: 'face_too_small', value: 17.6 },
    ]);
    expect(findReasons({ ...ordinary, crop: checkered(10, 60) })).toEqual([
      { code: 'too_dark', value: expect.closeTo(35, 0) },
    ]);
    expect(findReasons({ ...ordinary, crop: checkered(200, 250) })).toEqual([
      { code: 'too_bright', value: expect.closeTo(225, 0) },
    ]);
    expect(findReasons({ ...ordinary, box: { x: -20, y: 0, width: 100, height: 80 } })).toEqual([
      { code: 'cut_off', value: 20 },
    ]);
    const nose: Point = [template[1][0] - 3, template[2][1]];
    const turned: Landmarks = [template[0], template[1], nose, template[3], template[4]];
    expect(findReasons({ ...ordinary, landmarks: turned })).toEqual([
      { code: 'turned_away', value: expect.closeTo(42.5, 0) },
    ]);
    expect(findReasons({ ...ordinary, crop: flat(120) })).toEqual([{ code: 'blurred', value: 0 }]);
  });
  test('sorts by severity, worst first', () => {
    const face = seen({ ...ordinary, crop: flat(30), landmarks: scaled(0.1) });
    expect(codes(face)).toEqual(['blurred', 'face_too_small', 'too_dark']);
  });
});

test('describeReason says value and limit', () => {
  expect(describeReason({ code: 'blurred', value: 12 })).toBe('blurred: sharpness 12, at least 40 is good');
  expect(describeReason({ code: 'turned_away', value: 55 })).toBe(
    'turned away: about 55° to the side, at most 40 is good',
  );
});

type Change = (face: Sharp) => Sharp | Promise<Sharp>;
type Rates = Partial<Record<ReasonCode | 'any', number>>;

interface Face {
  readonly crop: () => Sharp;
  readonly landmarks: Landmarks;
}

/** Share of aligned faces that have a reason, by code, once each crop is changed and its eyes are `eyes` pixels apart, if given. */
async function ratesOf(faces: readonly Face[], change: Change = (face) => face, eyes?: number): Promise<Rates> {
  const found: Rates = {};
  for (const { crop, landmarks } of faces) {
    const [[a], [d]] = alignmentMatrix(landmarks);
    const scale = eyes === undefined ? 1 : (eyes * Math.hypot(a, d)) / (template[1][0] - template[0][0]);
    const data = await (await change(crop())).raw().toBuffer();
    const reasons = codes(
      seen({
        crop: { data, width: 112, height: 112 },
        landmarks: landmarks.map(([x, y]): Point => [x * scale, y * scale]) as unknown as Landmarks,
        box: { x: 0, y: 0, width: 9, height: 9 },
        image: { width: 250, height: 250 },
      }),
    );
    for (const code of reasons.length > 0 ? [...reasons, 'any' as const] : [])
      found[code] = (found[code] ?? 0) + 1 / faces.length;
  }
  return found;
}

function expectRatesOf(open: () => Promise<readonly Face[]>): void {
  let faces: readonly Face[] = [];
  beforeAll(async () => {
    faces = await open();
  });

  test('finds few problems in ordinary faces', async () => {
    expect((await ratesOf(faces)).any).toBeLessThan(0.06);
  });
  test('recognises faces that were blurred, darkened or brightened', async () => {
    expect((await ratesOf(faces, (face) => face.blur(2))).blurred).toBeGreaterThan(0.98);
    const dark = await ratesOf(faces, (face) => face.linear(0.2));
    expect(dark.too_dark).toBeGreaterThan(0.95);
    expect(dark.blurred ?? 0).toBeLessThan(0.03);
    expect((await ratesOf(faces, (face) => face.linear(0.4, 160))).too_bright).toBeGreaterThan(0.3);
  });
  test('finds small faces too small, but not also blurred', async () => {
    const shrink: Change = async (face) =>
      sharp(await face.resize(40, 40).png().toBuffer()).resize(112, 112, { kernel: 'linear' });
    const small = await ratesOf(faces, shrink, 10);
    expect(small.face_too_small).toBeGreaterThan(0.99);
    expect(small.blurred ?? 0).toBeLessThan(0.02);
  });
}

const fivePoints = (numbers: readonly number[]): Landmarks =>
  template.map((_, i): Point => [numbers[2 * i]!, numbers[2 * i + 1]!]) as unknown as Landmarks;

describe('the 22 faces of the sample photos', () => {
  /** Box, five landmarks and score of each face, by photo, as OpenCV found them. */
  const found: Record<string, number[][]> = JSON.parse(
    readFileSync(new URL('infer/golden/yunet-opencv.json', import.meta.url), 'utf8'),
  );
  expectRatesOf(async () => {
    const faces: Face[] = [];
    for (const number of [1, 2, 3, 4, 5, 6] as const) {
      const { data, info } = await sharp(samplePhoto(number)).raw().toBuffer({ resolveWithObject: true });
      for (const row of found[`sample${number}.jpg`]!) {
        const landmarks = fivePoints(row.slice(4, 14));
        const crop = warp({ data, width: info.width, height: info.height }, alignmentMatrix(landmarks));
        faces.push({ landmarks, crop: () => sharp(crop.data, { raw: { width: 112, height: 112, channels: 3 } }) });
      }
    }
    expect(faces).toHaveLength(22);
    return faces;
  });
});

describeWithShared('200 faces of LFW', ['faces/lfw'], () => {
  expectRatesOf(async () => {
    const rows = readFileSync(shared('faces/lfw/landmarks_yunet.tsv'), 'utf8').trim().split('\n');
    return rows
      .filter((_, i) => i % 66 === 0)
      .map((row) => {
        const [file, ...numbers] = row.split('\t');
        return { landmarks: fivePoints(numbers.map(Number)), crop: () => sharp(shared(`faces/lfw/aligned/${file}`)) };
      });
  });
});
