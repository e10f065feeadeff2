/** Damage is nothing at strength 0, grows with strength, and is the same for the same seed. */
import { expect, test } from 'vitest';
import { allDamages } from '../../src/degrade/node/jpeg.ts';
import { blankPixels, type Pixels } from '../../src/pixels.ts';
import { randomStream } from '../../src/random.ts';

/** Bright to the right, with waves and roughness, so that no kind of damage finds it unchanged. */
function picture(size = 112): Pixels {
  const random = randomStream(7);
  const face = blankPixels(size, size);
  for (let at = 0; at < face.data.length; at++) {
    const [x, y] = [Math.floor(at / 3) % size, Math.floor(at / 3 / size)];
    face.data[at] = 20 + 1.5 * x + 15 * Math.sin(y / (5 + (at % 3))) + 25 * random();
  }
  return face;
}

const difference = (a: Pixels, b: Pixels): number =>
  Array.from(a.data, (value, at) => Math.abs(value - b.data[at]!)).reduce((sum, value) => sum + value) / a.data.length;

test.each(Object.entries(allDamages))(
  '%s grows from none, depends only on its seed, and leaves its input unchanged',
  (_, damage) => {
    const face = picture();
    const before = face.data.slice();
    const steps = [0, 0.25, 0.5, 0.75, 1].map((strength) => difference(face, damage.apply(face, strength, 3)));
    expect(steps[0]).toBe(0);
    for (let step = 1; step < steps.length; step++) expect(steps[step], `${steps}`).toBeGreaterThan(steps[step - 1]!);
    expect(damage.apply(face, 0.5, 3)).toEqual(damage.apply(face, 0.5, 3));
    const { width, height, data } = damage.apply(face, 0.5, 3);
    expect([width, height, data.length]).toEqual([112, 112, 3 * 112 * 112]);
    expect(face.data).toEqual(before);
  },
);

test.each(['noise', 'occlusion', 'rotation'] as const)('%s differs between seeds', (kind) => {
  const face = picture();
  const results = [1, 2, 3, 4, 5, 6].map((seed) => String(allDamages[kind].apply(face, 0.5, seed).data));
  expect(new Set(results).size).toBeGreaterThan(1);
});

test('describes strengths in units', () => {
  const words = Object.entries(allDamages).map(([kind, { describe }]) => [kind, describe(0.5), describe(1)]);
  expect(words).toEqual([
    ['blur', 'σ 2.5 px', 'σ 5.0 px'],
    ['noise', 'σ 40 of 255', 'σ 80 of 255'],
    ['downscaling', '28 px wide', '7 px wide'],
    ['darkness', '3.0 stops', '6.0 stops'],
    ['occlusion', '38 % covered', '75 % covered'],
    ['rotation', '23°', '45°'],
    ['jpeg', 'quality 19', 'quality 5'],
  ]);
});
