/** Faces are followed by overlap and embedding, and tracks of one person are joined. */
import { expect, test } from 'vitest';
import { joinTracks, overlapOf, type TrackedFace, trackFaces } from '../../src/video/track-faces.ts';

const face = (x: number, embedding: readonly number[], y = 0): TrackedFace => ({
  box: { x, y, width: 10, height: 10 },
  embedding: Float32Array.from(embedding),
  magnitude: Math.hypot(...embedding),
  quality: undefined,
});
const ann = [10, 0, 0];
const bea = [0, 8, 0];

test('overlap is the intersection over the union', () => {
  const box = (x: number, y: number) => ({ x, y, width: 10, height: 10 });
  expect(overlapOf(box(0, 0), box(0, 0))).toBe(1);
  expect(overlapOf(box(0, 0), box(5, 0))).toBeCloseTo(50 / 150, 12);
  expect(overlapOf(box(0, 0), box(10, 0))).toBe(0);
});

test('a face keeps its track while it moves, and the template is the sum of its features', () => {
  const tracker = trackFaces({ threshold: 0.6 });
  const [first] = tracker.add(0, [face(0, ann)]);
  const [second] = tracker.add(0.2, [face(3, [4, 3, 0])]);
  expect(second).toBe(first);
  expect([...first!.template]).toEqual([14, 3, 0]);
  expect(first!.times).toEqual([0, 0.2]);
});

test('two who cross keep their tracks by their embeddings', () => {
  const tracker = trackFaces({ threshold: 0.6 });
  const [a, b] = tracker.add(0, [face(0, ann), face(6, bea)]);
  expect(tracker.add(0.2, [face(0, bea), face(6, ann)])).toEqual([b, a]);
});

test('someone else in the same place after a cut starts a track', () => {
  const tracker = trackFaces({ threshold: 0.6 });
  const [a] = tracker.add(0, [face(0, ann)]);
  expect(tracker.add(0.2, [face(0, bea)])[0]).not.toBe(a);
});

test('a jump is bridged by the embedding, within a second', () => {
  const tracker = trackFaces({ threshold: 0.6 });
  const [a] = tracker.add(0, [face(0, ann)]);
  expect(tracker.add(0.8, [face(500, ann)])[0]).toBe(a);
  expect(tracker.add(1.9, [face(500, ann)])[0]).not.toBe(a);
});

test('joins tracks of one person, but never two that share a frame', () => {
  const track = (times: readonly number[], template: readonly number[]) => ({
    times,
    template: Float32Array.from(template),
  });
  const [early, late, twin, other] = [track([0, 1], ann), track([5], [9, 1, 0]), track([1, 2], ann), track([7], bea)];
  expect(joinTracks([early, late, other], 0.6)).toEqual([[early, late], [other]]);
  expect(joinTracks([early, twin], 0.6)).toEqual([[early], [twin]]);
});

test('a joined group takes in tracks by its common template, and keeps out those that share any of its frames', () => {
  const track = (times: readonly number[], template: readonly number[]) => ({
    times,
    template: Float32Array.from(template),
  });
  const [left, right, middle] = [track([0], [10, 0, 0]), track([1], [5, 8.5, 0]), track([2], [9, 4, 0])];
  // left and right alone are too unlike, but middle is like left, and their sum is like right.
  expect(joinTracks([left, right], 0.65)).toHaveLength(2);
  expect(joinTracks([left, right, middle], 0.65)).toEqual([[left, middle, right]]);
  const atTheSameTime = track([2], [5, 8.5, 0]);
  expect(joinTracks([left, atTheSameTime, middle], 0.65)).toEqual([[left, middle], [atTheSameTime]]);
});
