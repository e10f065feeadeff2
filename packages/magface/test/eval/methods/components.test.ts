/** Components on pictures whose value can be computed by hand. */
import { expect, test } from 'vitest';
import { template } from '../../../src/align.ts';
import {
  type ComponentName,
  componentNames,
  componentScores,
  components,
} from '../../../src/eval/methods/components.ts';
import { luminanceHistogram, meanColour } from '../../../src/eval/methods/luminance.ts';
import type { Landmarks } from '../../../src/face.ts';
import type { Pixels } from '../../../src/pixels.ts';
import { ofiqColumn } from '../../support/ofiq-table.ts';

const side = 112;
const upright = [
  [1, 0, 0],
  [0, 1, 0],
] as const;

function picture(colour: (x: number, y: number) => readonly [number, number, number]): Pixels {
  const data = new Uint8Array(3 * side * side);
  for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) data.set(colour(x, y), 3 * (y * side + x));
  return { data, width: side, height: side };
}

const grey = (value: number): Pixels => picture(() => [value, value, value]);
const measure = (name: ComponentName, crop: Pixels, landmarks: Landmarks = template) =>
  components[name]({ crop, landmarks, alignment: upright, image: { width: side, height: side } });

test('every component is from 0 to 100 on any picture', () => {
  for (const crop of [grey(0), grey(128), grey(255), picture((x, y) => [2 * x, 2 * y, 90])]) {
    for (const name of componentNames) {
      const { raw, score } = measure(name, crop);
      expect(Number.isFinite(raw), name).toBe(true);
      expect(score, name).toBeGreaterThanOrEqual(0);
      expect(score, name).toBeLessThanOrEqual(100);
    }
  }
});

test('luminance is linear light: the byte 188 is half of it', () => {
  // ((188 / 255 + 0.055) / 1.055)^2.4 = 0.5029, and 0.5029 · 255 rounds to 128
  const histogram = luminanceHistogram(grey(188), { left: 0, top: 0, right: 10, bottom: 10 });
  expect(histogram[128]).toBe(1);
  expect(measure('luminance-mean', grey(188)).raw).toBeCloseTo(128 / 255, 10);
});

test('exposure counts the darkest and the brightest pixels', () => {
  const half = picture((x) => (x < 56 ? [0, 0, 0] : [255, 255, 255])); // the face region is 28 to 84
  expect(measure('under-exposure', half).raw).toBeCloseTo(0.5, 10);
  expect(measure('over-exposure', half).raw).toBeCloseTo(0.5, 10);
  expect(measure('over-exposure', half).score).toBeCloseTo(1 / 0.51, 10);
  expect(measure('under-exposure', grey(255)).score).toBeCloseTo(120 * (0.832 - 1 / (1 + Math.exp(18.4))), 10);
  expect(measure('under-exposure', grey(0)).score).toBe(0); // σ(1; 0.92, 0.05) is 0.83202
  expect(measure('luminance-variance', half).raw).toBeCloseTo(0.25, 10);
});

test('dynamic range is the entropy: four equal parts are two bits', () => {
  const parts = picture((x) => {
    const value = [20, 90, 150, 240][Math.floor(((x - 28) / 56) * 4)] ?? 0;
    return [value, value, value];
  });
  expect(measure('dynamic-range', parts)).toEqual({ raw: expect.closeTo(2, 10), score: expect.closeTo(25, 10) });
  expect(measure('dynamic-range', grey(77))).toEqual({ raw: expect.closeTo(0, 10), score: expect.closeTo(0, 10) });
});

test('illumination is uniform if both cheeks are lit alike, and not if one is dark', () => {
  expect(measure('illumination-uniformity', grey(120))).toEqual({ raw: 1, score: 100 });
  const split = picture((x) => (x < 56 ? [10, 10, 10] : [200, 200, 200]));
  expect(measure('illumination-uniformity', split)).toEqual({ raw: 0, score: 0 });
});

test('colour is CIELAB by D50: grey has none, and skin lies within the bounds', () => {
  const all = [{ left: 0, top: 0, right: side, bottom: side }];
  const [a, b] = meanColour(grey(119), all);
  expect([a, b]).toEqual([expect.closeTo(0, 1), expect.closeTo(0, 1)]);
  // sRGB (255, 0, 0) is L* 54.29, a* 80.81, b* 69.89 by D50.
  const red = meanColour(
    picture(() => [255, 0, 0]),
    all,
  );
  expect(red).toEqual([expect.closeTo(80.81, 0), expect.closeTo(69.89, 0)]);
  expect(
    measure(
      'natural-colour',
      picture(() => [200, 150, 130]),
    ),
  ).toEqual({ raw: 0, score: 100 });
  expect(
    measure(
      'natural-colour',
      picture(() => [60, 90, 220]),
    ).score,
  ).toBeLessThan(1);
});

test('poses: a nose to the side is yaw, a tilted line of eyes is roll', () => {
  const [left, right, nose, ...mouth] = template;
  const distance = right[0] - left[0];
  const turned: Landmarks = [left, right, [nose[0] + 0.45 * distance, nose[1]], ...mouth];
  expect(Math.abs(measure('yaw', grey(90)).raw)).toBeLessThan(2);
  expect(measure('yaw', grey(90), turned).raw).toBeGreaterThan(43);
  expect(measure('yaw', grey(90), turned).score).toBeLessThan(54);
  const tilted: Landmarks = [left, [left[0] + distance, left[1] + distance], nose, ...mouth];
  expect(measure('roll', grey(90), tilted)).toEqual({ raw: expect.closeTo(45, 5), score: expect.closeTo(50, 5) });
  expect(measure('eye-distance', grey(90)).score).toBeCloseTo(100 / (1 + Math.exp((70 - distance) / 20)), 0);
});

test('the crops count the room beside the eyes in eye distances', () => {
  const [left, right] = template;
  const between = Math.hypot(right[0] - left[0], right[1] - left[1]);
  expect(measure('leftward-crop', grey(90)).raw).toBeCloseTo(left[0] / between, 12);
  expect(measure('rightward-crop', grey(90)).raw).toBeCloseTo((side - right[0]) / between, 12);
  const cut = template.map(([x, y]) => [x - left[0], y]) as unknown as Landmarks; // the left eye lies at the end of the photo
  expect(measure('leftward-crop', grey(90), cut).score).toBeLessThan(0.02);
});

test('pitch: a nose between the eyes looks up', () => {
  const [left, right, [x, y], ...mouth] = template;
  expect(Math.abs(measure('pitch', grey(90)).raw)).toBeLessThan(20);
  expect(measure('pitch', grey(90), [left, right, [x, y - 12], ...mouth]).raw).toBeLessThan(-20);
});

test.each([
  ['illumination-uniformity', 'IlluminationUniformity'],
  ['luminance-mean', 'LuminanceMean'],
  ['luminance-variance', 'LuminanceVariance'],
  ['under-exposure', 'UnderExposurePrevention'],
  ['over-exposure', 'OverExposurePrevention'],
  ['dynamic-range', 'DynamicRange'],
  ['natural-colour', 'NaturalColour'],
  ['eye-distance', 'InterEyeDistance'],
  ['leftward-crop', 'LeftwardCropOfTheFaceImage'],
  ['rightward-crop', 'RightwardCropOfTheFaceImage'],
  ['yaw', 'HeadPoseYaw'],
  ['pitch', 'HeadPosePitch'],
  ['roll', 'HeadPoseRoll'],
] as const)("%s maps OFIQ's 28 published values of %s to its published scores", (name, column) => {
  const [raw, scores] = [ofiqColumn(column), ofiqColumn(`${column}.scalar`)];
  expect(raw).toHaveLength(28);
  expect(raw.map((value) => Math.round(componentScores[name](value)))).toEqual(scores);
});
