/** The threshold of a gallery at a rate of strangers who are named, on made-up people whose strangers are known. */
import { expect, test } from 'vitest';
import { openSetThreshold, thresholdOfMaxima } from '../../src/gallery/open-set.ts';
import { randomStream } from '../../src/random.ts';

const random = randomStream(7);
const normal = (): number => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random());

/** A maximum of 50 cosines of strangers in some 60 dimensions. */
const maximum = (): number => Math.max(...Array.from({ length: 50 }, normal)) / Math.sqrt(60);
const rateAbove = (values: readonly number[], threshold: number): number =>
  values.filter((value) => value >= threshold).length / values.length;

test('the rate of strangers above the threshold is the one asked for, and lies in the interval', async () => {
  const strangers = Array.from({ length: 10_000 }, maximum);
  const maxima = Array.from({ length: 300 }, () => [maximum(), maximum()]);
  for (const fpir of [0.1, 0.01]) {
    const { threshold, interval, source } = await thresholdOfMaxima(maxima, fpir);
    const rate = rateAbove(strangers, threshold);
    expect(source).toBe('gallery');
    expect(rate).toBeGreaterThan(fpir / 2);
    expect(rate).toBeLessThan(2 * fpir);
    expect(rate).toBeGreaterThan(interval![0]);
    expect(rate).toBeLessThan(interval![1]);
  }
});

test('of 30 people, fewer strangers are named than asked for, and the interval says how few or many', async () => {
  const strangers = Array.from({ length: 5000 }, maximum);
  const rates: number[] = [];
  let within = 0;
  for (let gallery = 0; gallery < 8; gallery++) {
    const maxima = Array.from({ length: 30 }, () => [maximum(), maximum(), maximum()]);
    const { threshold, interval } = await thresholdOfMaxima(maxima, 0.02);
    const rate = rateAbove(strangers, threshold);
    rates.push(rate);
    if (rate >= interval![0] && rate <= interval![1]) within++;
  }
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
  expect(mean).toBeGreaterThan(0.004);
  expect(mean).toBeLessThan(0.02);
  expect(within).toBeGreaterThanOrEqual(7);
});

test('people who are enrolled twice are counted, and do not change the tail of the others', async () => {
  const maxima = Array.from({ length: 2000 }, () => [maximum()]);
  const twice = maxima.map((one, i) => (i % 200 === 0 ? [0.9] : one)); // 0.5 % of all
  const plain = await thresholdOfMaxima(maxima, 0.01);
  const [one, apart] = [await thresholdOfMaxima(twice, 0.01), await thresholdOfMaxima(twice, 0.01, 0.7)];
  const half = await thresholdOfMaxima(maxima, 0.005);
  // What is left of the rate, 0.005, is that of the others.
  expect(Math.abs(apart.threshold - half.threshold)).toBeLessThan(0.02);
  expect(apart.threshold).toBeGreaterThan(plain.threshold);
  expect(one.threshold).toBeGreaterThan(apart.threshold + 0.02);
  // If they alone exceed the rate, nothing is left for the others.
  expect(await thresholdOfMaxima(twice, 0.004, 0.7)).toEqual(await thresholdOfMaxima(twice, 0.004));
});

const person = (name: string) => ({
  person: name,
  faces: [{ face: 1, image: null, quality: 50, embedding: Float32Array.of(normal(), normal(), normal()) }],
});

test('few people leave the decision to the model’s rates: the rate asked for, shared among all', async () => {
  const thresholds = [
    { fmr: 0.01, threshold: 0.2 },
    { fmr: 0.001, threshold: 0.3 },
  ];
  const ten = Array.from({ length: 10 }, (_, i) => person(`${i}`));
  expect(await openSetThreshold(ten, thresholds, 0.01)).toEqual({
    threshold: expect.closeTo(0.3, 6), // 0.01 / 10
    fpir: 0.01,
    interval: null,
    source: 'model',
  });
  await expect(openSetThreshold(ten, undefined, 0.01)).rejects.toThrow('Expected a model with measured thresholds');
  await expect(openSetThreshold(ten, thresholds, 1)).rejects.toMatchObject({ key: 'fpir' });
  const many = Array.from({ length: 25 }, (_, i) => person(`${i}`));
  expect(await openSetThreshold(many, thresholds, 0.1)).toMatchObject({ source: 'gallery', fpir: 0.1 });
});
