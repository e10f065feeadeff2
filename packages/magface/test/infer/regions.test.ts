import fc from 'fast-check';
import { expect, test } from 'vitest';
import { defaultMinFace, planRegions, type RegionOptions } from '../../src/infer/detector.ts';
import type { Region } from '../../src/infer/scene.ts';

const fixed: RegionOptions = {
  frame: { width: 256, height: 256 },
  margin: 1 / 8,
  reach: 16,
  minFace: 16,
  overlap: 0.3,
};
const free: RegionOptions = { ...fixed, frame: { width: 640, height: 640 }, multiple: 32, margin: 1 / 16 };
const sizes = fc.integer({ min: 1, max: 3000 });

test('covers the whole photo with a margin, and again at half scale, by default', () => {
  const image = { width: 1920, height: 1280 };
  const levels = planRegions(image, { ...free, minFace: defaultMinFace(image) });
  expect(levels.map((regions) => regions.length)).toEqual([1, 1]);
  const [[region], [half]] = levels as [[Region], [Region]];
  expect(region).toMatchObject({ width: 640, height: 480 });
  expect(half).toMatchObject({ width: 320, height: 256, scale: region!.scale / 2 });
  expect(region!.x).toBeCloseTo(-120, 6);
  expect(region!.x + region!.width / region!.scale).toBeCloseTo(2040, 6);
});

test('does not enlarge a small image', () => {
  expect(planRegions({ width: 112, height: 112 }, fixed)).toEqual([
    [{ x: -72, y: -72, scale: 1, width: 256, height: 256 }],
    [{ x: -200, y: -200, scale: 0.5, width: 256, height: 256 }],
  ]);
  expect(planRegions({ width: 560, height: 415 }, free)[0]).toEqual([
    { x: -40, y: -48.5, scale: 1, width: 640, height: 512 },
  ]);
});

test('adds finer levels for smaller faces without changing the coarse ones', () => {
  const image = { width: 1920, height: 1280 };
  const coarse = planRegions(image, { ...free, minFace: 40 });
  const fine = planRegions(image, { ...free, minFace: 16 });
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
      for (const regions of planRegions({ width, height }, fixed).slice(2)) {
        const { scale } = regions[0]!;
        const side = Math.min((0.3 * 256) / scale, width, height) - 1e-6;
        const [x, y] = [atX * (width - side), atY * (height - side)];
        const holds = regions.some(
          (region) =>
            region.x <= x + 1e-6 &&
            region.y <= y + 1e-6 &&
            x + side <= region.x + 256 / scale + 1e-6 &&
            y + side <= region.y + 256 / scale + 1e-6,
        );
        expect(holds).toBe(true);
      }
    }),
  );
});

test('contains the whole image and its margin in the first region', () => {
  fc.assert(
    fc.property(sizes, sizes, (width, height) => {
      const [[region]] = planRegions({ width, height }, free) as [[Region]];
      const border = Math.max(width, height) / 16 - 1e-6;
      expect(region!.x).toBeLessThanOrEqual(-border);
      expect(region!.y).toBeLessThanOrEqual(-border);
      expect(region!.x + region!.width / region!.scale).toBeGreaterThanOrEqual(width + border);
      expect(region!.y + region!.height / region!.scale).toBeGreaterThanOrEqual(height + border);
    }),
  );
});
