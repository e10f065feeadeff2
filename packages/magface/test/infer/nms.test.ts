import { expect, test } from 'vitest';
import { template } from '../../src/align.ts';
import type { DetectedFace } from '../../src/face.ts';
import { iou, mergeFaces } from '../../src/infer/look.ts';

const face = (x: number, y: number, width: number, detection: number): DetectedFace => ({
  box: { x, y, width, height: width },
  landmarks: template,
  mouth: 'corners',
  detection,
});

test('computes intersection over union', () => {
  const box = (x: number) => face(x, 0, 10, 1).box;
  expect(iou(box(0), box(0))).toBe(1);
  expect(iou(box(0), box(5))).toBeCloseTo(1 / 3, 10);
  expect(iou(box(0), box(10))).toBe(0);
});

test('keeps the best of overlapping boxes, and neighbours', () => {
  const merged = mergeFaces([face(0, 0, 10, 0.8), face(1, 0, 10, 0.9), face(9, 0, 10, 0.7)]);
  expect(merged.map(({ box, detection }) => [box.x, detection])).toEqual([[1, 0.9], [9, 0.7]]); // biome-ignore format: pairs
});

test('removes a part of a face, whichever scored higher', () => {
  expect(mergeFaces([face(0, 0, 100, 0.9), face(40, 80, 40, 0.7)])).toHaveLength(1);
  expect(mergeFaces([face(0, 0, 100, 0.7), face(40, 40, 40, 0.9)])).toHaveLength(1);
  expect(mergeFaces([face(0, 0, 100, 0.9), face(90, 0, 40, 0.7)])).toHaveLength(2);
});

test('blends boxes weighted by score', () => {
  const [merged] = mergeFaces([face(0, 0, 10, 0.9), face(1, 0, 10, 0.3)], { blend: true });
  expect(merged!.box.x).toBeCloseTo(0.25, 10);
  expect(merged!.detection).toBe(0.9);
});

test('drops boxes without an area, and blends scores of 0 to the first box', () => {
  expect(mergeFaces([face(0, 0, 0, 0.9), face(5, 5, 10, 0.1)], { blend: true })).toHaveLength(1);
  const [merged] = mergeFaces([face(0, 0, 10, 0), face(1, 0, 10, 0)], { blend: true });
  expect(merged!.box).toEqual(face(0, 0, 10, 0).box);
});
