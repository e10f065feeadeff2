import fc from 'fast-check';
import { expect, test } from 'vitest';
import { planViews, type ViewOptions } from '../../src/infer/views.ts';

const fixed: ViewOptions = { tile: { width: 256, height: 256 }, largestScale: 1, overlap: 0.3 };
const free: ViewOptions = { ...fixed, tile: { width: 640, height: 640 }, multiple: 32 };

test('a small image: once with a margin, once as it is', () => {
  expect(planViews({ width: 112, height: 112 }, fixed)).toEqual([
    { x: -200, y: -200, scale: 0.5, width: 256, height: 256 },
    { x: -72, y: -72, scale: 1, width: 256, height: 256 },
  ]);
  expect(planViews({ width: 560, height: 415 }, free)[1]).toEqual({ x: 0, y: 0, scale: 1, width: 576, height: 416 });
});

test('a large image is a pyramid that ends at the scale asked for', () => {
  const scales = [...new Set(planViews({ width: 1920, height: 1280 }, free).map(({ scale }) => scale))];
  expect(scales).toEqual([1 / 6, 1 / 3, 2 / 3, 1]);
  const near = new Set(planViews({ width: 2304, height: 1600 }, fixed).map(({ scale }) => scale));
  expect([...near]).toEqual([1 / 18, 1 / 9, 2 / 9, 4 / 9, 1]); // 8 / 9 would cost as much as 1 and show no more
});

test('every face up to the overlap lies whole in a tile of every level below the first', () => {
  const size = fc.integer({ min: 1, max: 3000 });
  const place = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(size, size, place, place, (width, height, atX, atY) => {
      const views = planViews({ width, height }, fixed);
      for (const scale of new Set(views.slice(1).map((view) => view.scale))) {
        const side = Math.min((0.3 * 256) / scale, width, height) - 1e-6;
        const [x, y] = [atX * (width - side), atY * (height - side)];
        const holds = views.some(
          (view) =>
            view.scale === scale &&
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
