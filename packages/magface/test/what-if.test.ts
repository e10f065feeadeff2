import { expect, test } from 'vitest';
import { qualityScore } from '../src/quality.ts';
import { describeEstimate, estimateRemedies } from '../src/what-if.ts';

const turned = [
  { from: 20, with: 3, without: 4.2, kept: 0.5 },
  { from: 40, with: 2, without: 4, kept: 0 },
];
const small = [
  { from: 20, with: 3.8, without: 4, kept: 1 },
  { from: 10, with: 2.5, without: 4, kept: 1 },
];
const scale = { centre: 4, width: 0.25, widthBelow: 0.5, source: 'a test' };
const calibration = { ...scale, remedies: { turned_away: turned, face_too_small: small } };

test('the row that the value has reached tells the magnitude without the defect', () => {
  const at = (value: number, magnitude: number) =>
    estimateRemedies(magnitude, [{ code: 'turned_away', value }], calibration);
  // 4.2 + 0.5 · (2.8 - 3) = 4.1
  expect(at(36, 2.8)).toEqual([{ code: 'turned_away', by: 30, quality: Math.round(qualityScore(4.1, scale)) }]);
  expect(at(55, 2.8)).toEqual([{ code: 'turned_away', by: 50, quality: 50 }]);
  expect(at(55, 1.5)).toEqual([{ code: 'turned_away', by: 50, quality: 50 }]); // nothing of the difference is kept
});

test('rows of a defect whose values fall are found too, and below the first row it counts', () => {
  const at = (value: number, magnitude: number) =>
    estimateRemedies(magnitude, [{ code: 'face_too_small', value }], calibration)[0]!.quality;
  expect(at(8, 2)).toBe(Math.round(qualityScore(3.5, scale)));
  expect(at(15, 3.6)).toBe(Math.round(qualityScore(3.8, scale)));
});

test('without a table, without a calibration, or without a gain there is no estimate', () => {
  expect(estimateRemedies(2, [{ code: 'blurred', value: 9 }], calibration)).toEqual([]);
  expect(estimateRemedies(2, [{ code: 'not_distinctive', value: 9 }], calibration)).toEqual([]);
  expect(estimateRemedies(2, [{ code: 'turned_away', value: 50 }], scale)).toEqual([]);
  expect(estimateRemedies(2, [{ code: 'turned_away', value: 50 }], undefined)).toEqual([]);
  expect(estimateRemedies(3.98, [{ code: 'turned_away', value: 50 }], calibration)).toEqual([]);
});

test('describeEstimate says the change, about what it gives, and that it is an estimate', () => {
  expect(describeEstimate({ code: 'turned_away', by: 15, quality: 68 })).toBe(
    'turned towards the camera by 15 degrees: about 68 (estimate)',
  );
  expect(describeEstimate({ code: 'blurred', quality: 61 })).toBe('in focus: about 61 (estimate)');
});
