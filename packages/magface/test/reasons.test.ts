import { readFileSync } from 'node:fs';
import sharp, { type Sharp } from 'sharp';
import { beforeAll, describe, expect, test } from 'vitest';
import { alignmentMatrix, template, warp } from '../src/align.ts';
import type { Landmarks, Point, Reason, ReasonCode } from '../src/face.ts';
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
/** Of a face of middling quality. A checkered face has no eyes, so what is said of covers does not matter. */
const plain = (face: FaceView, quality = 40): Reason[] =>
  findReasons(face, quality).filter(({ code }) => !code.endsWith('_covered'));
const codes = (face: FaceView): ReasonCode[] => findReasons(face).map(({ code }) => code);
const turnedBy = (pixels: number): FaceView => {
  const nose: Point = [template[1][0] - 17.6 + pixels, template[2][1]];
  return { ...ordinary, landmarks: [template[0], template[1], nose, template[3], template[4]] };
};

describe('findReasons', () => {
  test('finds nothing wrong with an ordinary face', () => {
    expect(plain(ordinary)).toEqual([]);
  });
  test("gives each rule's code and value", () => {
    expect(plain(seen({ ...ordinary, landmarks: scaled(0.5) }))).toEqual([{ code: 'face_too_small', value: 17.6 }]);
    expect(plain({ ...ordinary, crop: checkered(10, 60) })).toEqual([
      { code: 'too_dark', value: expect.closeTo(35, 0) },
    ]);
    expect(plain({ ...ordinary, crop: checkered(170, 254) })).toEqual([
      { code: 'too_bright', value: expect.closeTo(212, 0) },
    ]);
    expect(plain({ ...ordinary, crop: checkered(120, 140) })).toEqual([
      { code: 'low_contrast', value: expect.closeTo(7.7, 0) },
    ]);
    expect(plain(turnedBy(10))).toEqual([{ code: 'turned_away', value: expect.closeTo(32, 0) }]);
    const [left, right, , ...mouth] = template;
    const lowNose: Landmarks = [left, right, [56, 82], ...mouth];
    expect(plain({ ...ordinary, landmarks: lowNose })).toEqual([{ code: 'tilted', value: expect.closeTo(31, 0) }]);
  });
  test('measures how much of the face is beyond the end of the photo', () => {
    const cut = { ...ordinary, image: { width: 112, height: 92 } };
    expect(plain(cut)).toEqual([{ code: 'cut_off', value: 25 }]);
    expect(plain({ ...ordinary, box: { x: -20, y: 0, width: 100, height: 80 } })).toEqual([]);
  });
  test('sorts by severity, worst first', () => {
    const face = seen({ ...ordinary, crop: checkered(28, 32), landmarks: scaled(0.1) });
    expect(plain(face).map(({ code }) => code)).toEqual(['face_too_small', 'too_dark', 'low_contrast']);
  });
  test('names only gross defects of a good face', () => {
    const [slight, gross] = [turnedBy(10), turnedBy(17)];
    expect([plain(slight, 59.9).length, plain(slight, 60).length, plain(gross, 60).length]).toEqual([1, 0, 1]);
    const unknown = [slight, gross].map(
      (face) => findReasons(face).filter(({ code }) => code === 'turned_away').length,
    );
    expect(unknown).toEqual([0, 1]); // of unknown quality
  });
  test('calls a poor face without a visible defect not distinctive', async () => {
    expect(codes({ ...ordinary, crop: flat(120) })).not.toContain('not_distinctive');
    const fine = { ...ordinary, crop: await sampleCrop() }; // nothing is wrong with it
    expect(findReasons(fine, 19.96)).toEqual([{ code: 'not_distinctive', value: 20 }]);
    expect(findReasons(fine, 20)).toEqual([]);
  });
});

test('describeReason says value and limit', () => {
  expect(describeReason({ code: 'eyes_covered', value: 97.1 })).toBe('eyes covered or closed: 97.1 % probable');
  expect(describeReason({ code: 'blurred', value: 2.1 })).toBe(
    'blurred: edges 2.1 pixels wide in the aligned face, at most 1.35 is good',
  );
  expect(describeReason({ code: 'turned_away', value: 55 })).toBe(
    'turned away: about 55° to the side, at most 30 is good',
  );
  expect(describeReason({ code: 'not_distinctive', value: 12 })).toBe(
    'not distinctive: the recogniser finds little that tells this face from others',
  );
});

const fivePoints = (numbers: readonly number[]): Landmarks =>
  template.map((_, i): Point => [numbers[2 * i]!, numbers[2 * i + 1]!]) as unknown as Landmarks;

/** Box, five landmarks and score of each face, by photo, as OpenCV found them. */
const goldens: Record<string, number[][]> = JSON.parse(
  readFileSync(new URL('infer/golden/yunet-opencv.json', import.meta.url), 'utf8'),
);

/** The first face of the first sample photo. */
async function sampleCrop(): Promise<Pixels> {
  const { data, info } = await sharp(samplePhoto(1)).raw().toBuffer({ resolveWithObject: true });
  const landmarks = fivePoints(goldens['sample1.jpg']![0]!.slice(4, 14));
  return warp({ data, width: info.width, height: info.height }, alignmentMatrix(landmarks));
}

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
        image: { width: 4000, height: 4000 },
      }),
    );
    for (const code of reasons.length > 0 ? [...reasons, 'any' as const] : [])
      found[code] = (found[code] ?? 0) + 1 / faces.length;
  }
  return found;
}

/** @param hidden - greatest share of faces whose own eyes are closed or covered */
function expectRatesOf(hidden: number, open: () => Promise<readonly Face[]>): void {
  let faces: readonly Face[] = [];
  beforeAll(async () => {
    faces = await open();
  });

  test('finds few problems in ordinary faces', async () => {
    const { any, eyes_covered = 0 } = await ratesOf(faces);
    expect(any! - eyes_covered).toBeLessThan(0.06);
    expect(eyes_covered).toBeLessThan(hidden);
  });
  test('recognises faces that were blurred, darkened or brightened', async () => {
    expect((await ratesOf(faces, (face) => face.blur(2))).blurred).toBeGreaterThan(0.98);
    const dark = await ratesOf(faces, (face) => face.linear(0.2));
    expect(dark.too_dark).toBeGreaterThan(0.95);
    expect(dark.blurred ?? 0).toBeLessThan(0.03);
    expect((await ratesOf(faces, (face) => face.linear(0.4, 160))).too_bright).toBeGreaterThan(0.3);
  });
  test('finds a bar over the eyes and a mask over the mouth', async () => {
    const over =
      (top: number, height: number): Change =>
      (face) =>
        face
          .composite([{ input: { create: { width: 100, height, channels: 3, background: '#111' } }, left: 6, top }])
          .removeAlpha();
    expect((await ratesOf(faces, over(42, 18))).eyes_covered).toBeGreaterThan(0.9);
    expect((await ratesOf(faces, over(76, 36))).mouth_covered).toBeGreaterThan(0.9);
  });
  test('finds small faces too small, but not also blurred', async () => {
    const shrink: Change = async (face) =>
      sharp(await face.resize(40, 40).png().toBuffer()).resize(112, 112, { kernel: 'linear' });
    const small = await ratesOf(faces, shrink, 10);
    expect(small.face_too_small).toBeGreaterThan(0.99);
    expect(small.blurred ?? 0).toBeLessThan(0.02);
  });
}

describe('the 22 faces of the sample photos', () => {
  // Four look down, with their lids over their eyes.
  expectRatesOf(0.19, async () => {
    const faces: Face[] = [];
    for (const number of [1, 2, 3, 4, 5, 6] as const) {
      const { data, info } = await sharp(samplePhoto(number)).raw().toBuffer({ resolveWithObject: true });
      for (const row of goldens[`sample${number}.jpg`]!) {
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
  expectRatesOf(0.03, async () => {
    const rows = readFileSync(shared('faces/lfw/landmarks_yunet.tsv'), 'utf8').trim().split('\n');
    return rows
      .filter((_, i) => i % 66 === 0)
      .map((row) => {
        const [file, ...numbers] = row.split('\t');
        return { landmarks: fivePoints(numbers.map(Number)), crop: () => sharp(shared(`faces/lfw/aligned/${file}`)) };
      });
  });
});
