import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Context } from '../../../src/cli/context.ts';
import { defineEvaluate } from '../../../src/cli/evaluate/evaluate.ts';
import { services } from '../../../src/cli/services.ts';
import type { PairReport } from '../../../src/eval/pair-report.ts';
import type { RejectCurve } from '../../../src/eval/reject.ts';
import { goldenEvaluation } from '../../eval/golden.ts';
import { fixtureFile, fixtureFolder } from '../../support/fixtures.ts';

/** Runs `magface evaluate WORDS`. */
async function evaluate(...words: string[]): Promise<{ out: string; notes: string }> {
  const [stdout, stderr] = [new PassThrough({ highWaterMark: 1 << 24 }), new PassThrough()]; // read at the end
  const context: Context = {
    stdin: new PassThrough(),
    stdout,
    stderr,
    env: {},
    signal: new AbortController().signal,
    services,
  };
  const command = new Command('evaluate').exitOverride().configureOutput({ writeErr: () => undefined });
  defineEvaluate(command, context);
  await command.parseAsync(words, { from: 'user' });
  const text = (stream: PassThrough): string => String(stream.read() ?? '');
  return { out: text(stdout), notes: text(stderr) };
}

describe('the official text formats', () => {
  const data = [
    '--features',
    fixtureFile('golden/eval/features.list'),
    '--pairs',
    fixtureFile('golden/eval/pair.list'),
  ];
  const golden = goldenEvaluation();

  test("pairs prints the contract's fields, the official digits, and notes on unresolved rates", async () => {
    const { out, notes } = await evaluate('pairs', ...data, '--json');
    const record = JSON.parse(out) as Record<string, number>;
    expect(record).toMatchObject({
      pairs: 1500,
      folds: 10,
      auc: expect.any(Number),
      tarAtFar: { '0.01': expect.any(Number) },
    });
    expect(record['accuracy']!.toFixed(5)).toBe(golden.verification.accuracy.toFixed(5));
    expect(record['accuracyStd']!.toFixed(5)).toBe(golden.verification.std.toFixed(5));
    expect(notes).toContain('FAR 0.001 needs 1000 impostor pairs but there are only 750.');
  });

  test('pairs gives intervals that contain their estimates, and tests quality bins', async () => {
    const { out, notes } = await evaluate(
      'pairs',
      ...data,
      '--intervals',
      '--quality-bins',
      '3',
      '--far',
      '0.01',
      '--json',
      '-q',
    );
    const { thresholds, qualityDecision } = JSON.parse(out) as {
      thresholds: { tar: number; tarInterval: [number, number] }[];
      qualityDecision: { bins: unknown[]; better: boolean };
    };
    expect(thresholds).toHaveLength(1);
    expect(thresholds[0]!.tar).toBeGreaterThan(thresholds[0]!.tarInterval[0]);
    expect(qualityDecision.bins).toHaveLength(3);
    expect(notes).toBe('');
  });

  test('reject prints the official curve', async () => {
    const { out } = await evaluate('reject', ...data, '--threshold', 'official', '--json');
    const record = JSON.parse(out) as { fmr: number; rejectRates: number[]; fnmr: (number | null)[]; pauc: number };
    expect(record.fmr).toBe(0.001);
    expect(record.rejectRates).toHaveLength(20);
    expect(record.fnmr).toEqual([...golden.errorVersusReject.fnmr, null, null]);
    expect(record.pauc).toBeGreaterThan(0);
  });

  test('report writes a page, prints one row per model, and every curve as CSV', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'evaluate-report-'));
    const output = join(folder, 'page.html');
    const flags = [...data, '--output', output, '-q'];
    expect((await evaluate('report', ...flags)).out).toMatch(/features +97\.73 %/);
    expect(await readFile(output, 'utf8')).toMatch(/^<!doctype html>.*<\/html>\n$/s);
    const csv = (await evaluate('report', ...flags, '--format', 'csv')).out.trim().split('\n');
    expect(csv[0]).toBe('model,curve,x [fraction],y [fraction],low [fraction],high [fraction]');
    expect(csv).toHaveLength(1 + 120 + 3 * 20);
    expect(csv[121]).toMatch(new RegExp(`^features,reject by magnitude,0,${41 / 750},0\\.\\d+,0\\.\\d+$`));
    expect(csv[141]).toBe(`features,reject by chance,0,${41 / 750},,`);
    await rm(folder, { recursive: true });
  });

  test('reject and report accept your own rates, FMR and limit, and list the remaining pairs', async () => {
    const flags = ['--fmr', '0.01', '--rates', '0.01,0.02,0.03', '--json', '-q'];
    const curve = JSON.parse((await evaluate('reject', ...data, ...flags)).out) as RejectCurve;
    expect(curve).toMatchObject({ fmr: 0.01, rejectRates: [0, 0.01, 0.02, 0.03], paucLimit: 0.03 });
    expect(curve.genuineLeft.map((left, i) => left + curve.impostorLeft[i]!)).toEqual([1500, 1485, 1470, 1455]);
    expect(curve.paucArea).toBeCloseTo(curve.pauc! * 0.03, 12);
    await expect(evaluate('reject', ...data, '--rates', '2,1')).rejects.toThrow('Expected rising rates below 1');

    const folder = await mkdtemp(join(tmpdir(), 'evaluate-report-'));
    const output = ['--output', join(folder, 'page.html'), '--fmr', '0.1', '--limit', '0.2', '--threshold', 'fixed'];
    const [report] = JSON.parse((await evaluate('report', ...data, ...output, '--json', '-q')).out) as PairReport[];
    expect(report!.reject).toMatchObject({ fmr: 0.1, paucLimit: 0.2, threshold: 'fixed' });
    expect(report!.baselines.oracle).toMatchObject({ fmr: 0.1, paucLimit: 0.2, threshold: 'fixed' });
    expect(await readFile(join(folder, 'page.html'), 'utf8')).toContain(
      'pAUC is the area below the FNMR at FMR 0.1 (fixed threshold) while 0 % to 20 % of the pairs are rejected',
    );
    await rm(folder, { recursive: true });
  });

  test('every CSV cell is one plain value, and every title names its unit', async () => {
    const meta = ['--meta', fixtureFolder('golden/eval/ijb/meta')];
    const ijb = ['--features', fixtureFile('golden/eval/ijb/features.list'), ...meta];
    const commands = [
      ['pairs', ...data, '--intervals', '--quality-bins', '2'],
      ['reject', ...data, '--fmr', '0.01'],
      ['ijb', ...ijb],
    ];
    const rows = { pairs: 1, reject: 3 * 20, ijb: 6 + 4 };
    for (const [name = '', ...flags] of commands) {
      const lines = (await evaluate(name, ...flags, '--format', 'csv', '-q')).out.trimEnd().split('\n');
      const titles = lines[0]!.split(',');
      const names = ['measure', 'figure', 'gallery'];
      for (const title of titles) if (!names.includes(title)) expect(title).toMatch(/ \[[\w ]+\]$/);
      expect(lines).toHaveLength(1 + rows[name as keyof typeof rows]);
      for (const line of lines.slice(1)) {
        expect(line).not.toMatch(/["%{[]/);
        expect(line.split(',')).toHaveLength(titles.length);
      }
    }
  });

  test.each([
    [[], 'ijb'],
    [['--magnitude-weighted'], 'ijbMagnitudeWeighted'],
  ] as const)('ijb %j prints the official row', async (flags, key) => {
    const meta = [
      '--features',
      fixtureFile('golden/eval/ijb/features.list'),
      '--meta',
      fixtureFolder('golden/eval/ijb/meta'),
    ];
    const { out } = await evaluate('ijb', ...meta, ...flags, '--json');
    const record = JSON.parse(out) as { far: number[]; tar: number[] };
    expect(record.far).toEqual(golden[key].far);
    expect(record.tar.map((tar) => tar.toFixed(4))).toEqual(golden[key].tar.map((tar) => tar.toFixed(4)));
  });
});

describe('your own files', () => {
  let folder = '';
  const file = async (name: string, text: string): Promise<string> => {
    await writeFile(join(folder, name), text);
    return join(folder, name);
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'evaluate-'));
    await file('features.list', 'a/1.jpg 2 0\na/2.jpg 3 1\nb/1.jpg 0 2\nb/2.jpg 1 3\nc/1.jpg -2 0\nc/2.jpg -3 1\n');
    await file(
      'pairs.csv',
      'left,right,same,camera\na/1,a/2,1,old\nb/1,b/2,1,new\na/1,b/1,0,old\nb/2,c/1,0,new\na/2,c/2,0,new\nc/1,c/2,1,old\n',
    );
  });
  afterAll(() => rm(folder, { recursive: true }));

  const data = (): string[] => ['--features', join(folder, 'features.list'), '--pairs', join(folder, 'pairs.csv')];

  test('group columns of the list give rates per group, in JSON and in the table', async () => {
    const flags = [...data(), '--folds', '2', '--far', '0.4'];
    const { groups } = JSON.parse((await evaluate('pairs', ...flags, '--json')).out) as {
      groups: { camera: { groups: { group: string; genuine: number; impostor: number; fnmr: number }[] } };
    };
    expect(groups.camera.groups.map(({ group, genuine, impostor, fnmr }) => [group, genuine, impostor, fnmr])).toEqual([
      ['old', 2, 1, 0],
      ['new', 1, 2, 0],
    ]);
    expect((await evaluate('pairs', ...flags)).out).toContain('old: FNMR 0.00 % of 2, FMR 100.00 % of 1');
  });

  test('any quality column can order the pairs', async () => {
    const quality = await file('quality.txt', 'a/1.jpg 1\na/2.jpg 2\nb/1.jpg 3\nb/2.jpg 4\nc/1.jpg 5\nc/2.jpg 6\n');
    const { out } = await evaluate('reject', ...data(), '--fmr', '0.4', '--quality', quality, '--json');
    expect(JSON.parse(out)).toMatchObject({ fmr: 0.4, threshold: 'exact', baselines: { oracle: { pauc: 0 } } });
    const short = await file('short.txt', 'a/1.jpg 1\n');
    await expect(evaluate('reject', ...data(), '--fmr', '0.4', '--quality', short)).rejects.toThrow(
      '"a/2.jpg" has none',
    );
    const words = await file('words.txt', 'a/1.jpg good\n');
    await expect(evaluate('reject', ...data(), '--fmr', '0.4', '--quality', words)).rejects.toThrow(
      'line 1 ends in "good"',
    );
  });

  test('one page shows several measures: columns of a table, and magnitude', async () => {
    const table = await file(
      'measures.csv',
      `name,sharpness,light\n${['a/1', 'a/2', 'b/1', 'b/2', 'c/1', 'c/2'].map((name, i) => `${name}.jpg,${i},${-i}`).join('\n')}\n`,
    );
    const report = join(folder, 'reject.html');
    const flags = ['--fmr', '0.4', '--quality', table, join(folder, 'quality.txt'), '--report', report];
    const record = JSON.parse((await evaluate('reject', ...data(), ...flags, '--json')).out) as Record<string, object>;
    expect(record['quality']).toBe('sharpness');
    expect(Object.keys(record['measures']!)).toEqual(['sharpness', 'light', 'quality', 'magnitude']);
    const { out, notes } = await evaluate('reject', ...data(), ...flags);
    expect(
      out
        .split('\n')[1]!
        .trim()
        .split(/\s{2,}/),
    ).toEqual(['rejected', 'genuine impostor', 'sharpness', 'light', 'quality', 'magnitude', 'by chance', 'oracle']);
    expect(notes).toContain(`Report: ${report}`);
    expect(await readFile(report, 'utf8')).toContain('light on features: ');
    const uneven = await file('uneven.csv', 'name,sharpness,light\na/1.jpg,3\n');
    await expect(evaluate('reject', ...data(), '--fmr', '0.4', '--quality', uneven)).rejects.toThrow(
      'Expected 3 columns (name, sharpness, light) but line 2 has 2: correct the line.',
    );
  });

  test.each([
    [['pairs', '--folds', '1'], 'Expected 2 to 6 folds for 6 pairs but received 1'],
    [['reject'], 'Expected at least 1000 impostor pairs for a rate of 0.001 but received 3'],
    [['reject', '--fmr', '2'], 'Expected a rate above 0 and below 1'],
    [['pairs', '--match', 'order'], 'Expected 12 feature lines for 6 pairs'],
  ])('%j gives one sentence', async ([name = '', ...flags], message) => {
    await expect(evaluate(name, ...data(), ...flags)).rejects.toThrow(message);
  });

  test('--identify without gallery files says which files to add', async () => {
    await file('ijbc_face_tid_mid.txt', 'a 1 1\n');
    await file('ijbc_template_pair_label.txt', '1 1 1\n');
    const features = join(folder, 'features.list');
    await expect(evaluate('ijb', '--features', features, '--meta', folder, '--identify')).rejects.toThrow(
      'ijbc_1N_probe_mixed.csv',
    );
  });

  test('--identify gives ranks per gallery', async () => {
    await file('ijbc_face_tid_mid.txt', '1.jpg 1 1\n2.jpg 2 2\n1.jpg 3 3\n2.jpg 4 4\n1.jpg 5 5\n2.jpg 6 6\n');
    await file('ijbc_template_pair_label.txt', '1 2 1\n1 3 0\n3 4 1\n4 5 0\n');
    await file('ijbc_1N_gallery_G1.csv', 'TEMPLATE_ID,SUBJECT_ID,FILENAME\n1,1,x\n3,2,x\n');
    await file('ijbc_1N_probe_mixed.csv', 'TEMPLATE_ID,SUBJECT_ID,FILENAME\n2,1,x\n4,2,x\n6,3,x\n');
    const { out, notes } = await evaluate(
      'ijb',
      '--features',
      join(folder, 'features.list'),
      '--meta',
      folder,
      '--identify',
      '--json',
    );
    expect(JSON.parse(out)).toMatchObject({
      templates: 6,
      identification: {
        G1: { gallery: 2, matedProbes: 2, nonMatedProbes: 1, cmc: { '1': 1 }, tpirAtFpir: { '0.01': null } },
      },
    });
    expect(notes).toContain('Searching the galleries');
  });
});
