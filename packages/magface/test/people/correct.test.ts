import { expect, test } from 'vitest';
import { joinPeople, namePerson, noCorrections, partFace, partPeople } from '../../src/people/correct.ts';
import { readCorrections } from '../../src/people/corrections.ts';

/** A pair of the first with each other. */
const pairsOf = (first: string, ...others: string[]) => others.map((other) => [first, other]);

test('names the best face of a person, and forgets the earlier name', () => {
  const once = namePerson(noCorrections, ['a', 'b'], 'Ann');
  expect(once.names).toEqual([['a', 'Ann']]);
  expect(namePerson(once, ['b', 'a'], 'Bea').names).toEqual([['b', 'Bea']]);
});

test('joins two people, whatever kept them apart, and keeps the first name', () => {
  const named = namePerson(namePerson(noCorrections, ['a'], 'Ann'), ['b'], 'Bea');
  const joined = joinPeople({ ...named, apart: [['b', 'a']] }, ['a'], ['b', 'c']);
  expect(joined).toEqual({ names: [['a', 'Ann']], joined: pairsOf('a', 'b', 'c'), apart: [] });
  expect(readCorrections(joined).nameOf('b')).toBe('Ann');
  expect(joinPeople(named, ['new'], ['b']).names).toEqual(named.names);
});

test('parts a face from the best other face and from the named one', () => {
  const named = namePerson(noCorrections, ['c'], 'Cy');
  const parted = partFace({ ...named, joined: [['a', 'b']] }, 'a', ['a', 'b', 'c']);
  expect(parted).toEqual({
    names: [['c', 'Cy']],
    joined: [],
    apart: [
      ['a', 'b'],
      ['a', 'c'],
    ],
  });
  expect(partFace(named, 'c', ['b', 'c'])).toEqual({ names: [], joined: [], apart: [['c', 'b']] });
  expect(partFace(named, 'c', ['c'])).toEqual(named);
});

test('parts two people whom an earlier answer joined, and the newest answer counts', () => {
  const joined = joinPeople(noCorrections, ['a', 'c'], ['b']);
  const parted = partPeople(joined, ['c', 'a'], ['b']);
  expect(parted).toEqual({ names: [], joined: [['a', 'c']], apart: [['c', 'b']] });
  expect(readCorrections(parted).apartFrom('b')).toEqual(new Set(['a']));
  expect(joinPeople(parted, ['a', 'c'], ['b'])).toEqual({
    names: [],
    joined: [['a', 'c'], ...pairsOf('a', 'c', 'b')],
    apart: [],
  });
});
