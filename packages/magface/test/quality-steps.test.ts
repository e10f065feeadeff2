import { expect, test } from 'vitest';
import { qualityColour } from '../src/quality-steps.ts';

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
