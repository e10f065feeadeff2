import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { evaluateIjb } from '../../src/eval/ijb.ts';
import { findIjbFiles, readFaceTemplates, readTemplatePairs, readTemplateSubjects } from '../../src/eval/ijb-files.ts';
import { scorePairs } from '../../src/eval/pair-scores.ts';
import { nearestTars } from '../../src/eval/roc.ts';
import { buildTemplates } from '../../src/eval/templates.ts';
import { fixtureFolder } from '../support/fixtures.ts';
import { goldenEvaluation, goldenFeatures } from './golden.ts';

describe('the official texts of a small IJB', () => {
  test.each([
    [false, 'ijb'],
    [true, 'ijbMagnitudeWeighted'],
  ] as const)('magnitude-weighted %s: TAR at six FARs equals the printed digits', async (magnitudeWeighted, key) => {
    const files = await findIjbFiles(fixtureFolder('golden/eval/ijb/meta'), 'c');
    const { values, dimension, names } = goldenFeatures('eval/ijb/features.list');
    const [faces, pairs] = [await readFaceTemplates(files.faces), await readTemplatePairs(files.pairs)];
    const input = { features: [{ values, names }], dimension, faces, pairs };
    const { result } = await evaluateIjb(input, { magnitudeWeighted });
    const golden = goldenEvaluation()[key];
    expect(result.far).toEqual(golden.far);
    expect(result.tar.map((tar) => tar.toFixed(4))).toEqual(golden.tar.map((tar) => tar.toFixed(4)));
    expect(result).toMatchObject({ images: 1609, templates: 400, pairs: 29660 });
    expect(result.exact.map((point) => point === null)).toEqual([true, true, false, false, false, false]);
    expect(result.limits[0]).toBe(`FAR 0.000001 needs 1000000 impostor pairs but there are only ${result.impostor}.`);
  });
});

describe('buildTemplates', () => {
  // Template 7: media 1 of two frames, media 2 of one; template 3: one image. Lines are not in order of template.
  const faces = {
    names: ['a', 'b', 'c', 'd'],
    template: Int32Array.from([7, 3, 7, 7]),
    media: Int32Array.from([1, 1, 2, 1]),
  };
  const values = Float32Array.from([2, 0, 0, 5, 0, 4, 4, 0]);

  test.each([
    [false, [1, 1]], // unit media (1, 0) and (0, 1)
    [true, [3, 4]], // media (3, 0) and (0, 4) as they are
  ])('magnitude-weighted %s', async (magnitudeWeighted, direction) => {
    const blocks = [{ values: values.subarray(0, 6) }, { values: values.subarray(6) }];
    const { ids, vectors } = await buildTemplates(blocks, 2, { faces, magnitudeWeighted });
    const length = Math.hypot(...direction);
    expect([...ids]).toEqual([7, 3]);
    expect([...vectors]).toEqual([...direction.map((value) => Math.fround(value / length)), 0, 1]);
  });

  test.each([
    [values.subarray(0, 6), undefined, "Expected 4 features (one per line of the protocol's list) but received 3"],
    [new Float32Array(10).fill(1), undefined, 'but received more than 4'],
    [values, ['x/a', 'x/b', 'x/d', 'x/c'], 'line 3 is "x/d" instead of "c"'],
    [values.slice().fill(0, 2, 4), undefined, 'the mean at b is all zeros'],
    [values.slice().fill(Number.NaN, 2, 4), undefined, 'the mean at b is not finite'],
  ])('rejects wrong features: case %#', async (wrong, names, message) => {
    await expect(buildTemplates([{ values: wrong, names }], 2, { faces })).rejects.toThrow(message);
  });
});

describe('scorePairs', () => {
  test('gives identical scores with threads and without, in every dimension', async () => {
    const [rows, dimension, pairs] = [50, 7, 120_000];
    const vectors = new Float32Array(new SharedArrayBuffer(rows * dimension * 4));
    for (let i = 0; i < vectors.length; i++) vectors[i] = Math.sin(i);
    const column = (step: number): Int32Array => {
      const rowOfPair = new Int32Array(new SharedArrayBuffer(pairs * 4));
      for (let i = 0; i < pairs; i++) rowOfPair[i] = (i * step) % rows;
      return rowOfPair;
    };
    const job = { vectors, dimension, left: column(3), right: column(7) };
    const [one, two] = [await scorePairs(job, 1), await scorePairs(job, 3)];
    expect(two.findIndex((score, i) => score !== one[i])).toBe(-1);
    const dot = [0, 1, 2, 3, 4, 5, 6].reduce(
      (sum, d) => sum + Math.fround(Math.sin(21 + d)) * Math.fround(Math.sin(49 + d)),
      0,
    );
    expect(one[1]).toBeCloseTo(dot, 6);
  });
});

describe('nearestTars', () => {
  test('excludes points inside a straight run, like scikit-learn', () => {
    // From the most alike: G I I I G. Curve (FP, TP): (0,0) (0,1) (1,1) (2,1) (3,1) (3,2); the run drops (1,1) and (2,1).
    const scores = { genuine: Float32Array.from([1, 5]), impostor: Float32Array.from([2, 3, 4]) };
    expect(nearestTars(scores, [0.33, 0.49, 0.51])).toEqual([0.5, 0.5, 1]);
  });

  test('prefers the one of two equally near points that accepts more', () => {
    const scores = { genuine: Float32Array.from([1, 2.5, 5]), impostor: Float32Array.from([2, 3]) };
    expect(nearestTars(scores, [0.25])).toEqual([2 / 3]);
  });
});

describe('protocol files', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'ijb-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  const file = async (text: string): Promise<string> => {
    const path = join(folder, 'list.txt');
    await writeFile(path, text);
    return path;
  };

  test('reads pairs as bytes, with or without a final line end', async () => {
    const pairs = await readTemplatePairs(await file('1 20 1\r\n\n300\t4 0'));
    expect([[...pairs.left], [...pairs.right], [...pairs.same]]).toEqual([
      [1, 300],
      [20, 4],
      [1, 0],
    ]);
  });

  test.each([
    ['1 2\n', "with a label 1 or 0 as pair 1 but found something else: use the protocol's original file.", 3],
    ['1 2 1\n1 2 2\n', "as pair 2 but found something else: use the protocol's original file.", 11],
    ['1 2 1 1\n', "as pair 1 but found something else: use the protocol's original file.", 7],
    ['1 b 1\n', "as pair 1 but found something else: use the protocol's original file.", 2],
    ['1 12345678901 1\n', 'as pair 1', 13],
    ['\n', 'but the file has none', 0],
  ])('rejects the pairs %j', async (text, message, offset) => {
    const error = { message: expect.stringContaining(message), offset };
    await expect(file(text).then(readTemplatePairs)).rejects.toMatchObject(error);
  });

  test.each([
    ['a.jpg 1\n', 'Expected a whole number below 1,000,000,000 on line 1 but received ""'],
    ['a.jpg 1 1\nb.jpg 1 x\n', 'on line 2 but received "x"'],
    ['a.jpg 1 1 9\n', 'line 1 has more columns'],
  ])('rejects the faces %j', async (text, message) => {
    await expect(file(text).then(readFaceTemplates)).rejects.toThrow(message);
  });

  test('lists a template once per gallery, however many images it has', async () => {
    const subjects = await readTemplateSubjects(await file('TEMPLATE_ID,SUBJECT_ID,FILENAME\n5,1,a\n5,1,b\n6,2,c\n'));
    expect([[...subjects.template], [...subjects.subject]]).toEqual([
      [5, 6],
      [1, 2],
    ]);
    await expect(file('t,s\n5,1\n5,2\n').then(readTemplateSubjects)).rejects.toThrow('line 3 gives template 5 another');
  });

  test('names a folder without the files', async () => {
    await expect(findIjbFiles(folder, 'b')).rejects.toThrow('Expected ijbb_face_tid_mid.txt in');
    await expect(findIjbFiles(join(folder, 'none'), 'b')).rejects.toThrow('cannot be read');
  });

  test('rejects a pair of an unknown template', async () => {
    const faces = { names: ['a'], template: Int32Array.from([1]), media: Int32Array.from([1]) };
    const pairs = await readTemplatePairs(await file('1 2 1\n'));
    const input = { features: [{ values: Float32Array.from([1, 1]) }], dimension: 2, faces, pairs };
    await expect(evaluateIjb(input)).rejects.toThrow('has template 2, which is in the pairs');
  });
});
