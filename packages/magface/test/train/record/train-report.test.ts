import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { StepResult } from '../../../src/train/loop/learner.ts';
import { train } from '../../../src/train/loop/run.ts';
import { PictureBook } from '../../../src/train/record/pictures.ts';
import { trainReport } from '../../../src/train/record/train-report.ts';
import { parseTrainConfig } from '../../../src/train/settings/config.ts';
import { describeTraining, u01 } from '../golden.ts';
import { smallSet, temporaryFolder, tinyRun } from '../small-set.ts';

const resultOf = (magnitudes: Float32Array): StepResult =>
  ({ magnitudes, targetCosines: magnitudes.map((a) => a / 100) }) as unknown as StepResult;

const named = (...paths: string[]) => paths.map((path) => ({ path, label: 0 }));

test('the picture book counts magnitudes by epoch and keeps the extremes in order', () => {
  const book = new PictureBook(undefined, 0);
  book.add(0, resultOf(Float32Array.of(10.5, 12, 12.9)), named('a', 'b', 'c'));
  book.add(0, resultOf(Float32Array.of(30, 9)), named('d', 'e'));
  const { histograms, points, lowest, highest } = book.pictures;
  expect(histograms[0]!.counts.slice(9, 13)).toEqual([1, 1, 0, 2]);
  expect(points).toHaveLength(5);
  expect(lowest.map(({ path }) => path)).toEqual(['e', 'a', 'b', 'c', 'd']);
  expect(highest[0]).toEqual({ path: 'd', magnitude: 30 });
  book.add(1, resultOf(Float32Array.of(20)), named('f'));
  expect(book.pictures.points).toHaveLength(1);
  expect(book.pictures.histograms.map(({ epoch }) => epoch)).toEqual([0, 1]);
  const resumed = new PictureBook(book.pictures, 1);
  expect(resumed.pictures.histograms.map(({ epoch }) => epoch)).toEqual([0]);
});

test('the points drawn are a fair sample', () => {
  const book = new PictureBook(undefined, 0);
  for (let i = 0; i < 10; i++) book.add(0, resultOf(u01(`p${i}`, 1000)), []);
  const { points } = book.pictures;
  expect(points).toHaveLength(2000);
  expect(points.reduce((sum, [a]) => sum + a, 0) / 2000).toBeCloseTo(0.5, 1);
});

test('an empty report is valid, and markup in file names is escaped', () => {
  const config = parseTrainConfig({ trainList: '<b>', output: 'x' });
  const html = trainReport({ config, rows: [], validation: [], pictures: new PictureBook(undefined, 0).pictures });
  expect(html).toContain('The run has not begun.');
  expect(html).not.toMatch(/undefined|NaN/);
  expect(html).not.toContain('<b>');
});

test('a single row is drawn as dots with readable axes, and the title names the initial model', () => {
  const config = parseTrainConfig({ trainList: 'x', output: 'x', epochs: 1, init: 'models/mine.onnx' });
  const row = {
    epoch: 0,
    step: 8,
    samples: 256,
    loss: 10.4,
    lossId: 9.986655,
    lossG: 0.510127,
    accuracy: 0.995,
    lr: 0.1,
  };
  const magnitudes = { magnitudeMean: 4, magnitudeMin: 2, magnitudeMax: 6, marginMean: 0.4611313 };
  const rows = [{ ...row, ...magnitudes, skipped: 0, imagesPerSecond: 792, secondsLeft: 0 }];
  const html = trainReport({ config, rows, validation: [], pictures: new PictureBook(undefined, 0).pictures });
  expect(html).toContain('<h1>Training from mine.onnx</h1>');
  expect(html).toContain('Each point is the mean of 8 steps.');
  expect(html).not.toMatch(/986655|611313|8\.0000/);
});

test('shows the progress of the run and of validation, and draws at most six epochs', () => {
  const config = parseTrainConfig({ trainList: 'x', output: 'x', epochs: 30 });
  const row = { epoch: 11, step: 1200, samples: 9600, loss: 20.25, lossId: 18, lossG: 0.0643, accuracy: 0.5, lr: 0.1 };
  const magnitudes = { magnitudeMean: 20, magnitudeMin: 10, magnitudeMax: 40, marginMean: 0.5 };
  const rows = [{ ...row, ...magnitudes, skipped: 2, imagesPerSecond: 12.5, secondsLeft: 7200 }];
  const validation = [1, 2].map((epoch) => ({
    epoch,
    accuracy: 0.8 + epoch / 100,
    accuracyStd: 0.01,
    auc: 0.9,
    tarAtFar: {},
    rejectFnmr: [0.5, 0.4, 0.3, 0.2],
  }));
  const histograms = Array.from({ length: 12 }, (_, epoch) => ({ epoch, counts: [0, 0, 3, 5] }));
  const points = [
    [2.5, 0.1],
    [3.5, 0.7],
  ] as const;
  const html = trainReport({ config, rows, validation, pictures: { histograms, points, lowest: [], highest: [] } });
  expect(html).toContain('In epoch 12 of 30, some 2.0 hours from its end.');
  expect(html).toContain('<dt>Best verification accuracy</dt><dd>82.0 %</dd>');
  expect(html).toContain('<dt>Steps left out</dt><dd>2</dd>');
  expect(html).toContain('<td>50.0 %</td><td>40.0 %</td><td>30.0 %</td><td>20.0 %</td>');
  expect([...html.matchAll(/<\/i>epoch (\d+)</g)].map(([, epoch]) => epoch)).toEqual(['1', '3', '5', '8', '10', '12']);
  expect(html).not.toMatch(/undefined|NaN/);
});

describeTraining('the report of a run', () => {
  test('is one file with curves, the magnitude picture and faces, and loads nothing', async () => {
    const settings = { ...tinyRun, epochs: 2, printFreq: 1 };
    const config = parseTrainConfig({ ...settings, trainList: smallSet(2, 4), output: temporaryFolder() });
    await train(config);
    const file = join(config.output, 'report.html');
    expect(existsSync(file)).toBe(true);
    const html = readFileSync(file, 'utf8');
    expect(html.match(/<svg/g)).toHaveLength(8);
    expect(html).toContain('The run is over: 2 epochs, 4 steps.');
    expect(html.replace(/base64,[^"]+/g, '')).not.toMatch(/undefined|NaN/);
    expect(html.match(/<img alt="[^"]+" title="[^"]+" src="data:image\/jpeg;base64,/g)).toHaveLength(16);
    expect(html).not.toMatch(/(src|href)="https?:/);
  });
});
