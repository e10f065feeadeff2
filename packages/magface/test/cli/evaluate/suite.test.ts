import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeVerificationBin } from '../../../src/format/verification-bin.ts';
import { randomStream } from '../../../src/random.ts';
import { tinyOnnx } from '../../support/tiny-onnx.ts';
import { runIn } from './evaluate-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'evaluate suite '));
const input = { width: 112, height: 112, layout: 'NCHW', channelOrder: 'RGB' } as const;
const contract = { kind: 'recogniser', template: 'arcface-112', embeddingLength: 3 } as const;
const config = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return name;
};

/** Flat colours: the first model sees them all, the second mistakes dark for bright. */
beforeAll(async () => {
  writeFileSync(
    join(folder, 'a.onnx'),
    tinyOnnx(112, { ...contract, input: { ...input, mean: [128, 128, 128], scale: [1, 1, 1] } }),
  );
  writeFileSync(
    join(folder, 'b.onnx'),
    tinyOnnx(112, { ...contract, input: { ...input, mean: [0, 0, 0], scale: [1, 1, 1] } }),
  );
  const random = randomStream(3);
  const picture = (colour: readonly number[]): Promise<Buffer> => {
    const [r, g, b] = colour.map((value) => Math.round(value + 8 * random())) as [number, number, number];
    return sharp({ create: { width: 112, height: 112, channels: 3, background: { r, g, b } } })
      .png()
      .toBuffer();
  };
  const someone = (): number[] => [0, 1, 2].map(() => 30 + 190 * random());
  for (const name of ['lfw', 'cfp_fp']) {
    const pairs = [];
    for (let k = 0; k < 40; k++) {
      const person = someone();
      const same = k % 2 === 0;
      pairs.push({ images: [await picture(person), await picture(same ? person : someone())] as const, same });
    }
    await writeVerificationBin(join(folder, `${name}.bin`), pairs);
  }
  mkdirSync(join(folder, 'empty'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('measures two models on two sets: a table of 80 columns, a page, JSON and CSV', async () => {
  const file = config(
    'suite.yaml',
    'title: Tiny\nmodels: [a.onnx, { name: second, model: b.onnx }]\nsets: [lfw.bin, cfp_fp.bin]\n',
  );
  const { exitCode, out, notes } = await runIn(folder, 'evaluate', 'suite', file);
  expect(exitCode).toBe(0);
  expect(notes).toContain('CFP-FP with second …');
  const lines = out.trimEnd().split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80);
  expect(lines.slice(0, 5).map((line) => line.split(/\s+/).slice(0, 2))).toEqual([
    ['Set', 'Model'],
    ['LFW', 'a'],
    ['LFW', 'second'],
    ['CFP-FP', 'a'],
    ['CFP-FP', 'second'],
  ]);

  const read = (name: string): string => readFileSync(join(folder, 'evaluation', name), 'utf8');
  expect(read('report.html')).toContain('Magnitude of a face: distribution for frontal faces and for profiles');
  const { sets } = JSON.parse(read('results.json')) as {
    sets: { set: string; reports: { model: string; roc: object[] }[] }[];
  };
  expect(sets.map(({ set, reports }) => [set, reports.length, reports[0]!.roc.length])).toEqual([
    ['LFW', 2, 120],
    ['CFP-FP', 2, 120],
  ]);
  const rows = (name: string): string[] => read(name).trimEnd().split('\n');
  expect(rows('results.csv')[0]).toBe(
    [
      'set,model,images [count],pairs [count],genuine [count],impostor [count],folds [count]',
      'accuracy [fraction],accuracyStd [fraction],cosineAccuracy [fraction],cosineAccuracyStd [fraction]',
      'auc [fraction],eer [fraction],tar@0.1 [fraction],tarLow@0.1 [fraction],tarHigh@0.1 [fraction]',
      'threshold@0.1 [cosine],thresholdLow@0.1 [cosine],thresholdHigh@0.1 [cosine],rejectFmr [fraction]',
      'rejectLimit [fraction],fnmrOfAll [fraction],pauc [mean FNMR],paucArea [area]', // no error to turn away: pAUC is relative to nothing
    ].join(','),
  );
  expect(rows('results.csv')).toHaveLength(1 + 4);
  expect(rows('thresholds.csv')).toHaveLength(1 + 4);
  expect(rows('curves.csv')).toHaveLength(1 + 4 * (120 + 3 * 20));
});

test('names a failed set or model at the end, exits with 1 and finishes the others', async () => {
  const file = config('some.yaml', 'models: [a.onnx, missing.onnx]\nsets: [empty, lfw.bin]\noutput: some\n');
  const { exitCode, out, notes } = await runIn(folder, 'evaluate', 'suite', file, '--json', '-q');
  expect(exitCode).toBe(1);
  const { results, failures } = JSON.parse(out) as {
    results: { set: string }[];
    failures: { set: string; model?: string }[];
  };
  expect(results.map(({ set }) => set)).toEqual(['LFW']);
  expect(failures.map(({ model }) => model)).toEqual([undefined, 'missing']);
  expect(notes).toMatch(/Failed: .*empty: Expected one list of pairs in .* but it contains none/);
  expect(notes).toMatch(/Failed: LFW with missing: Expected a model but ".*missing.onnx" is neither/);
  expect(readFileSync(join(folder, 'some', 'report.html'), 'utf8')).toContain('<h2>Without figures</h2>');
});

test('embeds nothing in a second run', async () => {
  const file = config('again.yaml', 'models: [a.onnx]\nsets: [lfw.bin]\noutput: again\n');
  await runIn(folder, 'evaluate', 'suite', file);
  expect((await runIn(folder, 'evaluate', 'suite', file)).notes).toContain('Features of LFW come from the cache.');
});

test.each([
  ['models: []\nsets: [lfw.bin]\n', 'models to be a list of at least 1 but received []'],
  [
    'models: [a.onnx]\nsets: [lfw.bin]\nflips: true\n',
    'keys among title, output, flip, folds, fmr, threshold, rates, limit, detector, methods, scores, models, sets but received flips',
  ],
  [
    'models: [{ model: a.onnx, nmae: a }]\nsets: [{ set: lfw.bin, pair: x }]\n',
    'keys in models.0 among name, model but received nmae; expected keys in sets.0 among set, name, pairs, images, protocol, aligned, models, methods, scores but received pair',
  ],
  ['models: [a.onnx, { model: a.onnx }]\nsets: [lfw.bin]\n', 'two are called a: give one a name'],
  ['- models\n', 'it is not a mapping of keys to values: see "Suites" in docs/evaluation.md'],
  ['models: [a.onnx\n', 'Expected JSON or YAML in'],
])('%j exits with 2 and one sentence', async (text, message) => {
  const { exitCode, notes } = await runIn(folder, 'evaluate', 'suite', config('bad.yaml', text));
  expect(notes).toContain(message);
  expect(exitCode).toBe(2);
});
