import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadModel } from '../../src/models/load-model.ts';
import { randomStream } from '../../src/random.ts';
import { tinyOnnx, tinyRecord } from '../support/tiny-onnx.ts';
import { runIn } from './evaluate/evaluate-run.ts';

const folder = mkdtempSync(join(tmpdir(), 'calibrate '));
const contract = tinyRecord([128, 128, 128]);

/** Sixty people of one colour each, two pictures each; every one with itself, and with four others. */
beforeAll(async () => {
  writeFileSync(join(folder, 'tiny.onnx'), tinyOnnx(112, contract));
  const random = randomStream(11);
  const lines: string[] = [];
  for (let person = 0; person < 60; person++) {
    const colour = [0, 1, 2].map(() => 20 + 200 * random());
    for (const number of [1, 2]) {
      const file = join(folder, 'faces', `P${person}`, `${number}.png`);
      mkdirSync(dirname(file), { recursive: true });
      const [r, g, b] = colour.map((value) => Math.round(value + 10 * random())) as [number, number, number];
      await sharp({ create: { width: 112, height: 112, channels: 3, background: { r, g, b } } })
        .png()
        .toFile(file);
    }
    lines.push(`P${person}/1.png P${person}/2.png 1`);
    for (let far = 1; far <= 4; far++) lines.push(`P${person}/1.png P${(person + 7 * far) % 60}/2.png 0`);
  }
  writeFileSync(join(folder, 'pairs.list'), lines.join('\n'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const calibrate = (...words: string[]) =>
  runIn(folder, 'calibrate', '--model', join(folder, 'tiny.onnx'), '--aligned', ...words);

test('--pairs writes thresholds that `compare` uses, and reports rates that the pairs cannot resolve', async () => {
  const words = ['--faces', 'faces', '--pairs', 'pairs.list', '--output', 'q.onnx', '--json'];
  const { exitCode, out, notes } = await calibrate(...words);
  expect(exitCode).toBe(0);
  const { thresholds, limits } = JSON.parse(out) as {
    thresholds: { fmr: number; threshold: number; set: string; interval: [number, number] }[];
    limits: string[];
  };
  expect(thresholds).toHaveLength(1);
  const { fmr, threshold, set, interval } = thresholds[0]!;
  expect([fmr, set]).toEqual([0.01, '240 impostor pairs of pairs.list']);
  expect(interval[0]).toBeLessThanOrEqual(threshold);
  expect(interval[1]).toBeGreaterThanOrEqual(threshold - 1e-12);
  expect(limits).toHaveLength(5);
  expect(limits[4]).toContain(
    'The scale has one width, because its lower side could not be fitted: it needs the threshold',
  );
  expect(notes).toContain('FMR 1e-3 is omitted: it needs 1,000 impostor pairs but there are only 240.');

  const model = await loadModel(join(folder, 'q.onnx'), { kind: 'recogniser' });
  expect(model.contract.thresholds).toEqual(thresholds);
  expect(model.contract.calibration?.source).toBe('120 faces of faces');
  const same = await runIn(
    folder,
    'compare',
    'faces/P3/1.png',
    'faces/P3/2.png',
    '--model',
    join(folder, 'q.onnx'),
    '--aligned',
    '--fmr',
    '0.01',
    '--json',
  );
  expect(JSON.parse(same.out)).toMatchObject({ threshold, fmr: 0.01, same: true });
  const lines = await runIn(
    folder,
    'compare',
    'faces/P3/1.png',
    'faces/P3/2.png',
    '--model',
    join(folder, 'q.onnx'),
    '--aligned',
    '--fmr',
    '0.05',
  );
  expect(lines.out).toMatch(/The same person: threshold .* at a false match rate of 0\.01/);
});

test("without --pairs the record's thresholds are reported as carried over, not as measured", async () => {
  const old = { fmr: 0.001, threshold: 0.31234, set: '9 impostor pairs of elsewhere', interval: [0.3, 0.33] } as const;
  writeFileSync(join(folder, 'old.onnx'), tinyOnnx(112, { ...contract, thresholds: [old] }));
  const run = (...words: string[]) =>
    runIn(folder, 'calibrate', '--model', join(folder, 'old.onnx'), '--aligned', '--faces', 'faces', ...words);
  expect(JSON.parse((await run('--json')).out)).toMatchObject({ thresholds: [], carriedOver: [old] });
  const lines = (await run()).out.trim().split('\n');
  expect(lines.slice(-2)).toEqual([
    'Kept from the record, not measured in this run (use --faces with --pairs to measure):',
    '  FMR 1e-3  threshold 0.3123   95 %: 0.3000 to 0.3300   from 9 impostor pairs of elsewhere',
  ]);
  const measured = JSON.parse((await run('--pairs', 'pairs.list', '--json')).out);
  expect(measured).toMatchObject({ thresholds: [{ fmr: 0.01 }], carriedOver: [] });
});

test("--keep-scale keeps the model's scale", async () => {
  const scaled = { ...contract, calibration: { centre: 23, width: 2.6, source: 'elsewhere' } } as const;
  writeFileSync(join(folder, 'scaled.onnx'), tinyOnnx(112, scaled));
  const words = ['--faces', 'faces', '--pairs', 'pairs.list', '--keep-scale', '--output', 'kept.onnx', '-q'];
  await runIn(folder, 'calibrate', '--model', join(folder, 'scaled.onnx'), '--aligned', ...words);
  const { contract: kept } = await loadModel(join(folder, 'kept.onnx'), { kind: 'recogniser' });
  expect(kept.calibration).toEqual(scaled.calibration);
  expect(kept.thresholds).toHaveLength(1);
});

test("--claim copies the record of a registered model to the user's own export", async () => {
  writeFileSync(join(folder, 'r50.onnx'), tinyOnnx(112, { ...contract, embeddingLength: 3 }));
  const { exitCode, notes } = await runIn(
    folder,
    'calibrate',
    '--model',
    join(folder, 'r50.onnx'),
    '--claim',
    'magface-iresnet50',
  );
  expect(notes).toContain('Expected embeddings of 512 values (like those of magface-iresnet50) but ');
  expect(exitCode).toBe(2);

  writeFileSync(join(folder, 'wide.onnx'), readFileSync(join(folder, 'tiny.onnx')));
  const { claimed } = await import('../../src/cli/calibrate-claim.ts');
  const model = await loadModel(join(folder, 'wide.onnx'), { kind: 'recogniser' });
  const own = await claimed({ ...model, contract: { ...model.contract, embeddingLength: 512 } }, 'magface-iresnet50');
  expect(own.contract.input.channelOrder).toBe('BGR');
  expect(own.contract.calibration).toEqual({
    centre: 23,
    width: 2.6,
    source: 'OFIQ, unified quality score (ISO/IEC 29794-5); the file was claimed to be magface-iresnet50',
  });
});

test.each([
  [['--claim', 'magface-iresnet5'], 'did you mean magface-iresnet50'],
  [['--claim', 'blazeface'], 'Expected the id of a recogniser but received blazeface'],
  [[], 'Expected --faces with a reference set, or --claim'],
  [['--claim', 'fr-feature', '--faces', 'faces'], 'Expected either --faces or --claim'],
  [['--claim', 'fr-feature', '--pairs', 'pairs.list'], 'Expected --faces with --pairs'],
  [['--faces', 'faces/P1', '--pairs', 'pairs.list'], '"P0/1.png" of pair 1 has none'],
])('%j exits with 2 and one sentence', async (words, message) => {
  const { exitCode, notes } = await calibrate(...words);
  expect(notes).toContain(message);
  expect(exitCode).toBe(2);
});
