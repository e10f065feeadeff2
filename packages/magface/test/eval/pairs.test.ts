import { describe, expect, test } from 'vitest';
import type { FeatureSet } from '../../src/eval/feature-set.ts';
import { parsePairList, readPairList } from '../../src/eval/pair-list.ts';
import { resolvePairs } from '../../src/eval/pairs.ts';
import { describeWithShared, shared } from '../support/shared.ts';

const parse = (text: string) => parsePairList(text, 'pairs.txt');
const featuresOf = (...names: string[]): FeatureSet => ({
  values: new Float32Array(names.length).fill(1),
  dimension: 1,
  names,
});

describe('parsePairList', () => {
  test('reads the label as the last token of the official text', () => {
    expect(parse('a.jpg b.jpg 1\nc.jpg d.jpg x 0\n')).toEqual({
      left: ['a.jpg', 'c.jpg'],
      right: ['b.jpg', 'd.jpg'],
      same: Uint8Array.from([1, 0]),
      columns: {},
    });
  });

  test('reads labels alone', () => {
    expect(parse('1\n0\n0')).toMatchObject({ left: ['', '', ''], same: Uint8Array.from([1, 0, 0]) });
  });

  test("reads LFW's genuine lines of three columns and impostor lines of four", () => {
    expect(parse('10\t300\nAbel_Pacheco\t1\t4\nAdam\t12\tEve\t3\n')).toMatchObject({
      left: ['Abel_Pacheco/Abel_Pacheco_0001', 'Adam/Adam_0012'],
      right: ['Abel_Pacheco/Abel_Pacheco_0004', 'Eve/Eve_0003'],
      same: Uint8Array.from([1, 0]),
    });
  });

  test("reads CPLFW's two lines per pair", () => {
    expect(parse('name same_person\na_1.jpg 1\na_2.jpg 1\nb_1.jpg 0\nc_1.jpg 0\n')).toMatchObject({
      left: ['a_1.jpg', 'b_1.jpg'],
      right: ['a_2.jpg', 'c_1.jpg'],
      same: Uint8Array.from([1, 0]),
    });
  });

  test('reads further columns named in a header', () => {
    expect(parse('left,right,same,age\na b.jpg,c.jpg,1,20-30\nd.jpg,e.jpg,0,60+\n')).toEqual({
      left: ['a b.jpg', 'd.jpg'],
      right: ['c.jpg', 'e.jpg'],
      same: Uint8Array.from([1, 0]),
      columns: { age: ['20-30', '60+'] },
    });
  });

  test.each([
    ['', 'the file has no pairs'],
    ['a b 1\na b yes\n', 'Expected a label 1 (same) or 0 on line 2 but received "yes"'],
    ['10 300\nAdam 1 x\n', 'Expected an image number on line 2 but received "x"'],
    ['10 300\nAdam 1 2\nAdam 1 2 3 4\n', 'Expected 3 or 4 columns on line 3 but received 5'],
    ['a 1\nb 1\nc 0\n', 'Expected two lines "image label" per pair but the file has 3 lines'],
    ['a 1\nb 0\n', 'Expected the same label on both lines of a pair but line 2 differs'],
    ['left,right,same\na,b\n', 'Expected 3 columns (left, right, same) but line 2 has 2'],
    ['left,same\na,1\n', 'Expected columns left, right, same but the header has left, same'],
  ])('rejects %j', (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });
});

describe('resolvePairs', () => {
  const list = parse('x/a.jpg x/b.jpg 1\nx/c.jpg x/a.jpg 0\n');

  test('finds names in any order', () => {
    const pairs = resolvePairs(list, featuresOf('x/c.jpg', 'x/b.jpg', 'x/a.jpg'));
    expect(pairs).toEqual({ left: Uint32Array.from([2, 0]), right: Uint32Array.from([1, 2]), same: list.same });
  });

  test('accepts names without folders and extension', () => {
    const lfw = parse('1 1\nAdam 1 2\n');
    expect(resolvePairs(lfw, featuresOf('aligned/Adam/Adam_0002.jpg', 'aligned/Adam/Adam_0001.jpg'))).toMatchObject({
      left: Uint32Array.from([1]),
      right: Uint32Array.from([0]),
    });
  });

  test.each([
    ['the names agree in that order', ['x/a.jpg', 'x/b.jpg', 'x/c.jpg', 'x/a.jpg']],
    ['no name is known', ['1', '2', '3', '4']],
  ])('pairs by order if %s', (_, names) => {
    expect(resolvePairs(list, featuresOf(...names))).toMatchObject({
      left: Uint32Array.from([0, 2]),
      right: Uint32Array.from([1, 3]),
    });
  });

  test('reports a pair whose image has no features instead of skipping it', () => {
    expect(() => resolvePairs(list, featuresOf('x/a.jpg', 'x/b.jpg'))).toThrow('"x/c.jpg" of pair 2 has none');
    expect(() => resolvePairs(list, featuresOf('x/a.jpg', 'x/b.jpg', 'x/d.jpg', 'x/e.jpg'))).toThrow(
      '"x/c.jpg" of pair 2 has none',
    );
  });

  test('rejects a name that fits two images', () => {
    const short = parse('a.jpg b.jpg 1');
    expect(() => resolvePairs(short, featuresOf('x/a.jpg', 'y/a.jpg', 'b.jpg'))).toThrow(
      '"a.jpg" of pair 1 matches 2 features',
    );
  });

  test.each([
    [3, 'Expected 4 feature lines for 2 pairs (pair k is lines 2k and 2k + 1) but received 3, an odd number'],
    [6, 'but received 6: use features and pairs of the same list'],
  ])('rejects %i feature lines for two pairs', (rows, message) => {
    const features = { values: new Float32Array(rows).fill(1), dimension: 1 };
    expect(() => resolvePairs(list, features)).toThrow(message);
  });
});

describe('lists of published size', () => {
  const tens = Array.from({ length: 10 }, (_, fold) => fold);
  const each = (count: number, line: (i: number) => string): string =>
    Array.from({ length: count }, (_, i) => line(i)).join('');
  const lfw = `10\t300\n${tens.map((fold) => each(300, (i) => `P_${fold}\t${i + 1}\t${i + 2}\n`) + each(300, (i) => `P_${fold}\t${i + 1}\tQ_${fold}\t7\n`)).join('')}`;
  const cplfw = `name same_person\n${each(6000, (i) => `P_${i}.jpg 1\n`)}${each(6000, (i) => `Q_${i}.jpg 0\n`)}`;

  test.each([
    ['LFW', lfw, 'P_0/P_0_0001', 'Q_9/Q_9_0007'],
    ['CPLFW', cplfw, 'P_0.jpg', 'Q_5999.jpg'],
  ])('%s has 6,000 pairs, half of them genuine', (_, text, first, last) => {
    const list = parse(text);
    expect([list.same.length, list.same.reduce((a, b) => a + b, 0)]).toEqual([6000, 3000]);
    expect([list.left[0], list.right.at(-1)]).toEqual([first, last]);
  });
});

describeWithShared('the list of LFW itself', ['faces/lfw/pairs.txt'], () => {
  test('has 6,000 pairs, half of them genuine', async () => {
    const list = await readPairList(shared('faces/lfw/pairs.txt'));
    expect([list.same.length, list.same.reduce((a, b) => a + b, 0)]).toEqual([6000, 3000]);
    expect(list.left[0]).toBe('Abel_Pacheco/Abel_Pacheco_0001');
  });
});
