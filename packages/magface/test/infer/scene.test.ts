import { expect, test } from 'vitest';
import { drawRegion, sceneOf } from '../../src/infer/scene.ts';
import { grey, values } from '../support/grey-pixels.ts';

test('a region drawn from halved copies equals one drawn directly, within a grey level, also with odd sides', () => {
  const image = grey(403, 301, (x, y) => 128 + 60 * Math.sin(x / 40) + 60 * Math.cos(y / 30));
  const { draw } = sceneOf(image);
  for (const scale of [1.2, 0.7, 0.5, 0.3, 0.11]) {
    const region = { x: -20, y: 7, scale, width: 64, height: 48 };
    const [byHalves, directly] = [values(draw(region)), values(drawRegion(image, region))];
    const inside = directly.map((_, i) => {
      const [x, y] = [region.x + ((i % 64) + 0.5) / scale, region.y + (Math.floor(i / 64) + 0.5) / scale];
      return x > 2 / scale && y > 2 / scale && x < 403 - 2 / scale && y < 301 - 2 / scale;
    });
    const worst = Math.max(...directly.map((value, i) => (inside[i] ? Math.abs(value - byHalves[i]!) : 0)));
    expect(worst, `scale ${scale}`).toBeLessThanOrEqual(2);
  }
  const whole = { x: 0, y: 0, scale: 0.25, width: 101, height: 76 };
  const { draw: edge } = sceneOf(grey(403, 301, () => 200));
  expect(Math.min(...values(edge(whole)))).toBeGreaterThan(140); // the last column covers three of its four pixels
  expect(edge(whole)).toBe(edge(whole)); // kept for when it is asked for again
});

test('a scene of a scene is the same scene', () => {
  const scene = sceneOf(grey(4, 4, () => 7));
  expect(sceneOf(scene)).toBe(scene);
  expect(scene).toMatchObject({ width: 4, height: 4 });
});
