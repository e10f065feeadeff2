import { expect, test } from 'vitest';
import { keepNumbers } from '../../src/people/keep-numbers.ts';

const before = new Map([
  ['a', 1],
  ['b', 1],
  ['c', 1],
  ['d', 2],
  ['e', 3],
]);

test('numbers new people from 1', () => {
  expect(keepNumbers([['a'], ['b', 'c']], new Map())).toEqual([1, 2]);
});

test('keeps the number that most of the faces had', () => {
  expect(keepNumbers([['new'], ['d', 'e2'], ['a', 'b']], before)).toEqual([4, 2, 1]);
});

test('gives the number of a split person to the larger part, of joined people to the larger share', () => {
  expect(keepNumbers([['a'], ['b', 'c'], ['e']], before)).toEqual([4, 1, 3]);
  expect(keepNumbers([['d', 'a', 'b', 'c'], ['e']], before)).toEqual([1, 3]);
});

test('never uses a number again', () => {
  expect(keepNumbers([['new']], before, 9)).toEqual([10]);
});
