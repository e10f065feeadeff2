import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultMinFace, planViews, type ViewOptions } from '../../src/infer/detector.ts';
import type { View } from '../../src/infer/scene.ts';

const fixed: ViewOptions = {
  frame: { width: 256, height: 256 },
  margin: 1 / 8,
  reach: 16,
  minFace: 16,
  overlap: 0.3,
};
const free: ViewOptions = { ...fixed, frame: { width: 640, height: 640 }, multiple: 32, margin: 1 / 16 };
const sizes = fc.integer({ min: 1, max: 3000 });

test('covers the whole photo with a margin, and again at half scale, by default', () => {
  const image = { width: 1920, height: 1280 };
  const levels = planViews(image, { ...free, minFace: defaultMinFace(image) });
  expect(levels.map((views) => views.length)).toEqual([1, 1]);
  const [[view], [half]] = levels as [[View], [View]];
  expect(view).toMatchObject({ width: 640, height: 480 });
  expect(half).toMatchObject({ width: 320, height: 256, scale: view!.scale / 2 });
  expect(view!.x).toBeCloseTo(-120, 6);
  expect(view!.x + view!.width / view!.scale).toBeCloseTo(2040, 6);
});

test('does not enlarge a small image', () => {
  expect(planViews({ width: 112, height: 112 }, fixed)).toEqual([
    [{ x: -72, y: -72, scale: 1, width: 256, height: 256 }],
    [{ x: -200, y: -200, scale: 0.5, width: 256, height: 256 }],
  ]);
  expect(planViews({ width: 560, height: 415 }, free)[0]).toEqual([
    { x: -40, y: -48.5, scale: 1, width: 640, height: 512 },
  ]);
});

test('adds finer levels for smaller faces without changing the coarse ones', () => {
  const image = { width: 1920, height: 1280 };
  const coarse = planViews(image, { ...free, minFace: 40 });
  const fine = planViews(image, { ...free, minFace: 16 });
  expect(fine[0]).toEqual(coarse[0]);
  const whole = 640 / 2160;
  expect(fine.map(([first]) => first!.scale)).toEqual(
    [whole, whole / 2, 2 * whole, 1].map((v) => expect.closeTo(v, 9)),
  );
});

test('contains every face up to the overlap in one tile of every level below the first', () => {
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(sizes, sizes, place, place, (width, height, atX, atY) => {
      for (const views of planViews({ width, height }, fixed).slice(2)) {
        const { scale } = views[0]!;
        const side = Math.min((0.3 * 256) / scale, width, height) - 1e-6;
        const [x, y] = [atX * (width - side), atY * (height - side)];
        const holds = views.some(
          (view) =>
            view.x <= x + 1e-6 &&
            view.y <= y + 1e-6 &&
            x + side <= view.x + 256 / scale + 1e-6 &&
            y + side <= view.y + 256 / scale + 1e-6,
        );
        expect(holds).toBe(true);
      }
    }),
  );
});

test('contains the whole image and its margin in the first view', () => {
  fc.assert(
    fc.property(sizes, sizes, (width, height) => {
      const [[view]] = planViews({ width, height }, free) as [[View]];
      const border = Math.max(width, height) / 16 - 1e-6;
      expect(view!.x).toBeLessThanOrEqual(-border);
      expect(view!.y).toBeLessThanOrEqual(-border);
      expect(view!.x + view!.width / view!.scale).toBeGreaterThanOrEqual(width + border);
      expect(view!.y + view!.height / view!.scale).toBeGreaterThanOrEqual(height + border);
    }),
  );
});
