import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { cudaDevices } from '@magface/torch';
import { expect, test } from 'vitest';
import { runProgram } from '../../src/cli/program.ts';
import { services } from '../../src/cli/services.ts';
import { listCheckpoints } from '../../src/train/loop/checkpoint-file.ts';
import { readMetrics } from '../../src/train/record/metrics.ts';
import { describeTraining } from '../train/golden.ts';
import { smallNetwork, smallSet, temporaryFolder } from '../train/small-set.ts';

/** Runs `magface train` in this process. */
const magfaceTrain = (...words: readonly string[]) => trainOn(undefined, words);

/** @param columns - of the terminal that both streams are, if they are one */
async function trainOn(
  columns: number | undefined,
  words: readonly string[],
): Promise<{ code: number; out: string; err: string }> {
  const terminal = columns === undefined ? {} : { isTTY: true, columns };
  const [stdout, stderr] = [Object.assign(new PassThrough(), terminal), Object.assign(new PassThrough(), terminal)];
  const [out, err] = [stdout, stderr].map((stream) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    return () => Buffer.concat(chunks).toString();
  });
  const { signal } = new AbortController();
  const context = { stdin: new PassThrough(), stdout, stderr, env: {}, cwd: process.cwd(), signal, services };
  const code = await runProgram(['train', ...words], context);
  return { code, out: out!(), err: err!() };
}

test('accepts every official flag over the YAML file, and shows the result with --print-config', async () => {
  const yaml = join(temporaryFolder(), 'run.yaml');
  writeFileSync(yaml, 'arch: iresnet18\nlr: 0.3\nlambdaG: 20\n');
  const official = [
    '--train_list',
    'ms1m.list',
    '-j',
    '8',
    '--epochs',
    '3',
    '-b',
    '64',
    '--embedding-size',
    '256',
    '--last-fc-size',
    '85742',
  ];
  const rates = [
    '--lr',
    '0.2',
    '--momentum',
    '0.8',
    '--wd',
    '1e-4',
    '--lr-drop-epoch',
    '1',
    '2',
    '--lr-drop-ratio',
    '0.2',
  ];
  const loss = [
    '--l_a',
    '5',
    '--u_a',
    '90',
    '--l_margin',
    '0.35',
    '--u_margin',
    '0.7',
    '--lambda_g',
    '150',
    '--arc-scale',
    '32',
    '--arc',
    '0',
  ];
  const rest = [
    '--pth-save-fold',
    'out',
    '--pth-save-epoch',
    '2',
    '-p',
    '10',
    '--fp16',
    '1',
    '--vis_mag',
    '1',
    '--start-epoch',
    '0',
  ];
  const { code, out } = await magfaceTrain('--config', yaml, ...official, ...rates, ...loss, ...rest, '--print-config');
  expect(code).toBe(0);
  const lines = out.split('\n');
  const expected = [
    'arch: iresnet18',
    'output: out',
    'workers: 8',
    'epochs: 3',
    'batchSize: 64',
    'embeddingSize: 256',
    'lastFcSize: 85742',
    'lr: 0.2',
    'momentum: 0.8',
  ];
  const more = [
    'weightDecay: 0.0001',
    'lrDropRatio: 0.2',
    'lowerMagnitude: 5',
    'upperMagnitude: 90',
    'lowerMargin: 0.35',
    'upperMargin: 0.7',
    'lambdaG: 150',
    'scale: 32',
  ];
  for (const line of [...expected, ...more, 'margin: cosine', 'saveEpochs: 2', 'printFreq: 10', 'precision: fp16'])
    expect(lines).toContain(line);
  expect(out).toContain('trainList:\n  - ms1m.list\n');
  expect(out).toContain('lrDropEpoch:\n  - 1\n  - 2\n');
});

test('exits with 2 and names the key of a wrong setting', async () => {
  const cases: [string[], RegExp][] = [
    [['--output', 'x'], /Expected --train-list \(training set/],
    [['--train-list', 'a', '--output', 'x', '--arch', 'resnet100'], /arch/],
    [
      ['--train-list', 'a', '--output', 'x', '--l_a', '120'],
      /Expected --lower-magnitude below --upper-magnitude but received 120 and 110/,
    ],
    [['--train-list', 'a', '--output', 'x', '--colour', 'red'], /--colour/],
    [['--config', 'none.yaml'], /none\.yaml but it cannot be read/],
  ];
  for (const [words, message] of cases) {
    const { code, err } = await magfaceTrain(...words);
    expect(code, words.join(' ')).toBe(2);
    expect(err).toMatch(message);
  }
});

test('--verify-data names unusable images and exits with 1', async () => {
  const set = smallSet(2, 2);
  writeFileSync(join(set, 'person 0', '0.jpg'), 'no image');
  const words = ['--train-list', set, '--output', 'x', '--verify-data', '--workers', '0'];
  const { code, out, err } = await magfaceTrain(...words);
  expect(code).toBe(1);
  expect(out).toContain(join(set, 'person 0', '0.jpg'));
  expect(err).toContain('4 images of 2 people: 1 cannot be used.');
  expect(await magfaceTrain(...words, '--quiet')).toEqual({ code, out, err: '' });
});

describeTraining('magface train', () => {
  test('trains, writes its folder, continues with --resume, and prints the last metrics as JSON', async () => {
    const [set, output] = [smallSet(2, 4), join(temporaryFolder(), 'run')];
    const words = [
      '--train-list',
      set,
      '--output',
      output,
      '--arch',
      smallNetwork,
      '-b',
      '4',
      '--threads',
      '1',
      '-j',
      '0',
      '-p',
      '1',
    ];
    const first = await magfaceTrain(...words, '--epochs', '1', '--json');
    expect(first.code).toBe(0);
    expect(JSON.parse(first.out)).toMatchObject({ epoch: 0, step: 2, samples: 8 });
    expect(first.err).toMatch(/epoch 0 {2}step 1 {2}loss .* images\/s/);
    const narrow = [...words, '--epochs', '1', '--output', join(temporaryFolder(), 'narrow')];
    const terminal = await trainOn(80, narrow);
    const rows = terminal.err.match(/epoch 0 .*/g)!;
    expect(rows.map((row) => row.split('  ')[1])).toEqual(['step 1', 'step 2']);
    for (const row of rows) expect(row.length).toBeLessThanOrEqual(80);
    expect(terminal.out).toBe(''); // the same terminal has the last row already
    const second = await magfaceTrain(...words, '--epochs', '2', '--resume');
    expect(second.err).toMatch(/Continuing from .*00001-0000000\.safetensors: epoch 1, step 0/);
    expect(readMetrics(join(output, 'metrics.jsonl')).map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    expect(existsSync(join(output, 'report.html'))).toBe(true);
    expect(readFileSync(join(output, 'metrics.jsonl'), 'utf8').endsWith('}\n')).toBe(true);
    const third = await magfaceTrain(...words);
    expect([third.code, third.err]).toEqual([2, expect.stringContaining('add --resume')]);
  });

  test('--resume names a damaged and a truncated checkpoint, and uses the one before them', async () => {
    const [set, output] = [smallSet(2, 4), join(temporaryFolder(), 'run')];
    const words = ['--train-list', set, '--output', output, '--arch', smallNetwork, '-b', '4', '--threads', '1'];
    const run = (epochs: string, ...more: string[]) => magfaceTrain(...words, '-j', '0', '--epochs', epochs, ...more);
    await run('3');
    const [flipped, cut, whole] = listCheckpoints(output) as [string, string, string];
    const bytes = readFileSync(flipped);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(flipped, bytes);
    truncateSync(cut, bytes.length - 1);
    const { code, err } = await run('4', '--resume');
    expect(code).toBe(0);
    const [first, second, third] = err.split('\n').filter((line) => line.includes('.safetensors'));
    expect(first).toContain(flipped);
    expect(first).toMatch(/Trying the previous one\.$/);
    expect(second).toContain(cut);
    expect(third).toContain(`Continuing from ${whole}: epoch 1, step 0.`);
  });

  test.skipIf(cudaDevices() > 0)('--device cuda says what is missing if libtorch sees no GPU', async () => {
    const words = ['--train-list', smallSet(1, 1), '--output', join(temporaryFolder(), 'run'), '--device'];
    const { code, err } = await magfaceTrain(...words, 'cuda');
    expect(code).toBe(2);
    expect(err).toMatch(
      /Expected a libtorch with CUDA and a GPU for --device cuda but libtorch .* sees none: set LIBTORCH/,
    );
    expect((await magfaceTrain(...words, 'cuda:0', '--nproc', '2')).err).toMatch(
      /Expected --device cuda \(which gives each process its own GPU\) but received cuda:0/,
    );
    expect((await magfaceTrain(...words, 'tpu')).err).toMatch(
      /Expected --device to be cpu, cuda or cuda:N but received "tpu"/,
    );
  });
});
