import { expect, test } from 'vitest';
import { groupPeople } from '../src/people.ts';
import { qualityColour } from '../src/quality-steps.ts';

/** A feature of the given length at an angle in degrees. */
const at = (degrees: number, length = 1): Float32Array =>
  Float32Array.of(length * Math.cos((degrees * Math.PI) / 180), length * Math.sin((degrees * Math.PI) / 180));

test('adds faces to the most similar person, and numbers people in order of appearance', () => {
  expect(groupPeople([at(90), at(0), at(85), at(5), at(180)], { threshold: 0.9 })).toEqual([0, 1, 0, 1, 2]);
  expect(groupPeople([], { threshold: 0.5 })).toEqual([]);
});

test('represents a person by the sum of the faces, so that a short feature has little influence', () => {
  // 40° is within 41° of the long feature at 0°, not of the plain mean of 0° and -40°.
  expect(groupPeople([at(0, 10), at(-40, 2), at(40, 1)], { threshold: Math.cos((50 * Math.PI) / 180) })).toEqual([
    0, 0, 0,
  ]);
  expect(groupPeople([at(0, 2.1), at(-40, 2), at(40, 1)], { threshold: Math.cos((50 * Math.PI) / 180) })).toEqual([
    0, 0, 1,
  ]);
});

test('takes two faces of one image as two people, however similar', () => {
  const features = [at(0, 3), at(1, 2), at(2, 1)];
  expect(groupPeople(features, { threshold: 0.5, images: ['a', 'a', 'b'] })).toEqual([0, 1, 1]);
  expect(groupPeople(features, { threshold: 0.5 })).toEqual([0, 0, 0]);
});

test('takes a feature of zeros as its own person', () => {
  expect(groupPeople([at(0, 0), at(0), at(0, 0)], { threshold: 0.5 })).toEqual([0, 1, 2]);
});

test('changes the colour in steps of 20', () => {
  expect([0, 19, 20, 59, 60, 99, 100].map((quality) => qualityColour(quality).colour)).toEqual([
    '#d55e00',
    '#d55e00',
    '#e69f00',
    '#f0e442',
    '#56b4e9',
    '#0072b2',
    '#0072b2',
  ]);
});
