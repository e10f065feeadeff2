import { expect, test } from 'vitest';
import { Pace } from '../../src/serve/pace.ts';

test('one slow batch does not turn clients away for a minute', () => {
  const pace = new Pace(30);
  expect(pace.secondsFor(64)).toBe(7);
  pace.batch(1, 10);
  for (let i = 0; i < 3; i++) pace.batch(16, 0.16);
  expect(pace.secondsFor(64)).toBe(1);
});

test('clients are never told to wait longer than the time limit', () => {
  const pace = new Pace(30);
  for (let i = 0; i < 3; i++) pace.batch(1, 2);
  expect(pace.secondsFor(10)).toBe(20);
  expect(pace.secondsFor(64)).toBe(30);
});

test('old delays are forgotten', () => {
  const pace = new Pace(30);
  for (let i = 0; i < 50; i++) pace.batch(1, 5);
  for (let i = 0; i < 15; i++) pace.batch(1, 0.01);
  expect(pace.secondsFor(64)).toBe(1);
});
