/**
 * Groups 10,000 photos in one run, and in one that is killed five times by SIGKILL and begun again: the same people?
 *
 *     npx tsx -C magface:source bench/people-kill.ts [COUNT]
 *
 * The photos are aligned faces of LFW (`npm run data`), so that embedding them takes minutes. Kills come after each sixth of the
 * photos, while others are being embedded. Needs a build (`npx tsc -b`); writes bench/results/people-kill.json.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { researchFolder } from './support/data.ts';
import { writeResult } from './support/result.ts';

const count = Number(process.argv[2] ?? 10_000);
const kills = 5;
const command = fileURLToPath(new URL('../packages/magface/bin/magface.js', import.meta.url));
const aligned = join(researchFolder('faces/lfw'), 'faces/lfw/aligned');
const folder = mkdtempSync(join(tmpdir(), 'magface people '));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const photos = readdirSync(aligned)
  .sort()
  .flatMap((person) => readdirSync(join(aligned, person)).map((file) => join(aligned, person, file)))
  .slice(0, count);
const list = join(folder, 'photos.txt');
writeFileSync(list, photos.join('\n'));

function start(state: string): { readonly child: ChildProcess; readonly text: Promise<string> } {
  const words = ['people', '--list', list, '--aligned', '--state', state, '--json', '--quiet'];
  const child = spawn(process.execPath, [command, ...words], { stdio: ['ignore', 'pipe', 'inherit'] });
  const parts: Buffer[] = [];
  child.stdout!.on('data', (data: Buffer) => parts.push(data));
  const text = new Promise<string>((resolve) => child.on('close', () => resolve(Buffer.concat(parts).toString())));
  return { child, text };
}

/** Photos in a state's file, of which the last may be unfinished. */
function known(state: string): number {
  const file = join(state, 'photos.jsonl');
  return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 2 : 0;
}

const since = performance.now();
const whole = await start(join(folder, 'whole')).text;
const wholeSeconds = (performance.now() - since) / 1000;
process.stderr.write(`one run: ${Math.round(wholeSeconds)} s\n`);

const state = join(folder, 'killed');
const atKill: { readonly photos: number; readonly lastLineCut: boolean }[] = [];
for (let kill = 1; kill <= kills; kill++) {
  const { child, text } = start(state);
  const bytes = (share: number): number => (share * statSync(join(folder, 'whole/photos.jsonl')).size) / (kills + 1);
  const timer = setInterval(() => {
    const file = join(state, 'photos.jsonl');
    if (existsSync(file) && statSync(file).size >= bytes(kill)) child.kill('SIGKILL');
  }, 50);
  await text;
  clearInterval(timer);
  if (child.signalCode !== 'SIGKILL') throw new Error(`Expected kill ${kill} to end the run but it ended by itself.`);
  const lastLineCut = !readFileSync(join(state, 'photos.jsonl'), 'utf8').endsWith('\n');
  atKill.push({ photos: known(state), lastLineCut });
  process.stderr.write(`kill ${kill}: ${known(state)} photos\n`);
}
const resumed = await start(state).text;

const people = JSON.parse(whole) as { readonly faces: readonly { readonly image: string }[] }[];
writeResult('people-kill', {
  photos: photos.length,
  kills: atKill,
  people: people.length,
  faces: people.reduce((sum, { faces }) => sum + faces.length, 0),
  sameOutput: whole === resumed && whole.length > 0,
  photosEmbedded: known(state),
  secondsOfOneRun: Math.round(wholeSeconds),
});
if (whole !== resumed) process.exitCode = 1;
