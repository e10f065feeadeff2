/** Runs of `quality`, `embed` and `align` that are killed, go on, and run in parts: always the results of one run. */
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import sharp from 'sharp';
import { beforeEach, expect, test } from 'vitest';
import type { Recogniser } from '../../src/cli/services.ts';
import { emptyFolder, fakeRecogniser, interruptedRecogniser, runCli } from './run-cli.ts';

let cwd: string;
beforeEach(async () => {
  cwd = emptyFolder();
  for (const folder of ['photos', 'photos/more']) mkdirSync(join(cwd, folder));
  for (const [at, name] of ['a', 'b', 'more/a', 'no-face', 'two'].entries()) await photo(name, 50 + 10 * at);
  writeFileSync(join(cwd, 'photos/broken.png'), 'broken');
});

const photo = (name: string, width: number) =>
  sharp({ create: { width, height: 50, channels: 3, background: 'grey' } }).toFile(join(cwd, `photos/${name}.png`));
const run = (...words: string[]) => runCli(words, { cwd });
const read = (file: string): string => readFileSync(join(cwd, file), 'latin1');

/** Runs until the first image is done, then leaves what a killed process may leave: half an image and half a line. */
async function killed(output: string, ...words: string[]): Promise<void> {
  const { recogniser, signal } = interruptedRecogniser();
  const { exitCode } = await runCli(words, { cwd, signal, services: { load: async () => recogniser } });
  expect(exitCode).toBe(130);
  for (const file of readdirSync(join(cwd, `${output}.run`)))
    appendFileSync(join(cwd, `${output}.run`, file), '{"path":"/half');
}

test.each(['jsonl', 'csv'])('quality goes on after a kill and gives the .%s of one run', async (ending) => {
  const one = await run('quality', 'photos', '--output', `one.${ending}`);
  expect(one).toMatchObject({ exitCode: 1, stdout: `6 images, 7 rows in one.${ending}.\n` });
  await killed(`f.${ending}`, 'quality', 'photos', '--output', `f.${ending}`, '--resume');
  appendFileSync(join(cwd, `f.${ending}`), '{"image":"photos/b.png","fa');
  const resumed = await run('quality', 'photos', '--output', `f.${ending}`, '--resume', '--quiet');
  expect(resumed).toMatchObject({
    exitCode: 1,
    stdout: `6 images, 7 rows in f.${ending}.\n1 image of them by earlier runs.\n`,
  });
  expect(read(`f.${ending}`)).toBe(read(`one.${ending}`));
});

test('a finished run only adds new images', async () => {
  await run('quality', 'photos', '--output', 'f.jsonl', '--resume');
  const before = read('f.jsonl');
  await photo('zoe', 90);
  const seen: string[] = [];
  const recogniser = fakeRecogniser();
  const stream: Recogniser['stream'] = (inputs, options) => {
    const list = [...(inputs as Iterable<never>)];
    seen.push(...list);
    return recogniser.stream(list, options);
  };
  const services = { load: async () => ({ ...recogniser, stream }) };
  await runCli(['quality', 'photos', '--output', 'f.jsonl', '--resume'], { cwd, services });
  expect(seen).toEqual([join(cwd, 'photos/zoe.png')]);
  expect(read('f.jsonl').startsWith(before)).toBe(true);
  expect(read('f.jsonl').trimEnd().split('\n')).toHaveLength(8);
});

test('two lists that name an image twice give two rows, also after a kill', async () => {
  writeFileSync(join(cwd, 'two.list'), 'photos/a.png\nphotos/b.png\nphotos/a.png\n');
  const words = ['quality', '--list', 'two.list', '--output', 'f.jsonl', '--resume'];
  await killed('f.jsonl', ...words);
  await run(...words);
  const images = read('f.jsonl').trimEnd().split('\n');
  expect(images.map((line) => JSON.parse(line).image)).toEqual(['photos/a.png', 'photos/b.png', 'photos/a.png']);
});

test.each(['npy', 'list', 'safetensors', 'jsonl'])(
  'embed goes on after a kill and gives the .%s of one run',
  async (ending) => {
    await run('embed', 'photos', '--all-faces', '--output', `one.${ending}`);
    const words = ['embed', 'photos', '--all-faces', '--output', `f.${ending}`, '--resume'];
    await killed(`f.${ending}`, ...words);
    expect(readdirSync(cwd)).not.toContain(`f.${ending}`);
    const resumed = await run(...words, '--quiet');
    expect(resumed.stdout).toBe(`6 images, 5 faces, in f.${ending}\n1 image of them by earlier runs.\n`);
    expect(read(`f.${ending}`)).toBe(read(`one.${ending}`));
    if (ending === 'npy') expect(read('f.names.txt')).toBe(read('one.names.txt'));
    await photo('zoe', 90);
    const grown = await run(...words);
    expect(grown.stderr).toContain('Expected the images of the finished run of');
  },
);

test('align goes on after a kill: no face twice, none of a half-finished image left', async () => {
  await run('align', 'photos', '--output', 'one');
  await killed('f', 'align', 'photos', '--output', 'f', '--resume');
  // The next image was announced and one of its faces written.
  const journal = join(cwd, 'f.run/journal.jsonl');
  writeFileSync(journal, `${read('f.run/journal.jsonl').replace(/[^\n]*$/, '')}{"creating":["b_0.png"]}\n`, 'latin1');
  writeFileSync(join(cwd, 'f/b_0.png'), 'half');
  await run('align', 'photos', '--output', 'f', '--resume');
  expect(readdirSync(join(cwd, 'f'))).toEqual(['a_0-2.png', 'a_0.png', 'b_0.png', 'two_0.png', 'two_1.png']);
  for (const name of readdirSync(join(cwd, 'f'))) expect(read(`f/${name}`)).toBe(read(`one/${name}`));
});

test.each([
  ['quality', 'f.jsonl'],
  ['quality', 'f.csv'],
  ['embed', 'f.npy'],
])('%s in three shards, merged, gives one run’s %s', async (command, output) => {
  const one = output.replace('f.', 'one.');
  await run(command, 'photos', '--output', one, ...(command === 'embed' ? ['--resume'] : []));
  for (const shard of ['1/3', '2/3', '3/3']) await run(command, 'photos', '--output', output, '--shard', shard);
  const parts = [3, 1, 2].map((index) => output.replace('.', `.${index}-of-3.`));
  expect((await run('merge', ...parts, '--output', output)).exitCode).toBe(0);
  expect(read(output)).toBe(read(one));
});

test('align in shards, merged, gives one run’s folder', async () => {
  await run('align', 'photos', '--output', 'one');
  for (const shard of ['1/2', '2/2']) await run('align', 'photos', '--output', 'f', '--shard', shard);
  const merged = await run('merge', 'f.1-of-2', 'f.2-of-2', '--output', 'f');
  expect(merged.stdout).toBe('6 images, 5 faces, in f\n');
  expect(readdirSync(join(cwd, 'f'))).toEqual(readdirSync(join(cwd, 'one')));
  for (const name of readdirSync(join(cwd, 'f'))) expect(read(`f/${name}`)).toBe(read(`one/${name}`));
});

test('takes the shard from a Slurm array or a Kubernetes indexed job', async () => {
  const words = ['quality', 'photos', '--output', 'f.jsonl', '--shard', 'auto/2'];
  await runCli(words, { cwd, env: { SLURM_ARRAY_TASK_ID: '1' } });
  await runCli(words, { cwd, env: { JOB_COMPLETION_INDEX: '1' } });
  expect(readdirSync(cwd)).toEqual(expect.arrayContaining(['f.1-of-2.jsonl', 'f.2-of-2.jsonl']));
});

test('merge refuses shards that are missing, unfinished, doubled or of another run', async () => {
  for (const shard of ['1/2', '2/2']) await run('quality', 'photos', '--output', 'f.jsonl', '--shard', shard);
  const merge = async (...parts: string[]) => (await run('merge', ...parts, '--output', 'm.jsonl')).stderr;
  const [first, second] = ['f.1-of-2.jsonl', 'f.2-of-2.jsonl'] as const;
  expect(await merge(first)).toBe('Expected all 2 shards but received 1: add shard 2.\n');
  expect(await merge(first, first, second)).toBe(
    'Expected each shard once but received shard 1 twice: name each file once.\n',
  );
  await killed('g.1-of-2.jsonl', 'quality', 'photos', '--output', 'g.jsonl', '--shard', '1/2');
  expect(await merge('g.1-of-2.jsonl', second)).toContain('has only 1 images so far: repeat its command with --resume');
  await run('quality', 'photos', '--output', 'h.jsonl', '--shard', '1/2', '--min-quality', '5');
  expect(await merge('h.1-of-2.jsonl', second)).toContain('differ in command, flags, models or list of images');
  expect(await merge('photos/a.png')).toContain('has no journal');
  expect(readdirSync(cwd)).not.toContain('m.jsonl');
});

test('merge writes Parquet with the columns of CSV', async () => {
  await run('quality', 'photos', '--output', 'f.jsonl');
  await run('merge', 'f.jsonl', '--output', 'f.parquet');
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(join(cwd, 'f.parquet')) });
  expect(rows.map(({ image, face }) => [image, face])).toEqual([
    ['photos/a.png', 0],
    ['photos/b.png', 0],
    ['photos/broken.png', null],
    ['photos/more/a.png', 0],
    ['photos/no-face.png', null],
    ['photos/two.png', 0],
    ['photos/two.png', 1],
  ]);
  expect(rows[0]).toMatchObject({ magnitude: 5, reasons: 'blurred=3.2', error: null });
  expect(rows[2]).toMatchObject({ error: 'image_unreadable' });
});

test.each([
  [['--resume'], 'Expected --output with --resume, --shard and --queue: name a file.'],
  [['--output', 'f.txt'], 'Expected an output that ends in .jsonl or .csv but received f.txt'],
  [['--output', 'f.jsonl', '--best', '1'], 'Expected --output without --best, which needs all faces at once'],
  [
    ['--output', 'f.jsonl', '--shard', '3/2'],
    'Expected a shard as I/N, with I from 1 to N, but received 3/2: count from 1.',
  ],
  [
    ['--output', 'f.jsonl', '--shard', 'auto/2'],
    'outside of a job that sets SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX',
  ],
  [['--output', 'f.jsonl', '--shard', '1/9'], 'Expected at most as many shards as images but received 9 for 6'],
])('refuses %j', async (flags, message) => {
  const { exitCode, stderr } = await run('quality', 'photos', ...flags);
  expect(stderr).toContain(message);
  expect(exitCode).toBe(2);
});

test('never writes over a run that can go on, nor over a file of something else', async () => {
  writeFileSync(join(cwd, 'mine.jsonl'), 'mine');
  expect((await run('quality', 'photos', '--output', 'mine.jsonl', '--resume')).stderr).toContain(
    'Expected a new output but mine.jsonl exists',
  );
  expect(read('mine.jsonl')).toBe('mine');
  await killed('f.npy', 'embed', 'photos', '--output', 'f.npy', '--resume');
  expect((await run('embed', 'photos', '--output', 'f.npy')).stderr).toContain('pass --resume to go on');
  await run('quality', 'photos', '--output', 'f.jsonl');
  expect((await run('quality', 'photos', '--output', 'f.jsonl')).stderr).toContain('6 images: pass --resume to go on');
  expect((await run('quality', 'photos', '--output', 'f.jsonl', '--resume', '--min-quality', '9')).stderr).toContain(
    'Expected the min-quality of the earlier run of f.jsonl, none, but received 9',
  );
  writeFileSync(join(cwd, 'f.jsonl'), '');
  await photo('zoe', 90);
  expect((await run('quality', 'photos', '--output', 'f.jsonl', '--resume')).stderr).toContain(
    'but it has 0: remove it and its .run folder to start again.',
  );
});
