/**
 * Kills one rank of two with SIGKILL at random moments, repeatedly, during a run. Checks that the run finishes, that every
 * checkpoint is complete, and that the losses equal those of an undisturbed run, bit for bit.
 *
 *     npx tsx --conditions=magface:source bench/kill-rank.ts FOLDER-OF-FACES [KILLS]
 */
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hash } from '../packages/magface/src/train/data/sample-order.ts';
import { listCheckpoints, readCheckpoint } from '../packages/magface/src/train/loop/checkpoint-file.ts';
import { launch } from '../packages/magface/src/train/parallel/launcher.ts';
import { readMetrics } from '../packages/magface/src/train/record/metrics.ts';
import { writeResult } from './support/result.ts';

const [faces = '', kills = '20'] = process.argv.slice(2);
const wanted = Number(kills);
const ranks = 2;
const program = fileURLToPath(new URL('../packages/magface/dist/cli/main.js', import.meta.url));
const settings = '--arch mobilefacenet --embedding-size 32 --batch-size 6 --epochs 6 --lr 0.01 --workers 0 --threads 1';
const writing = '--print-freq 1 --save-steps 1 --keep 4 --collective-timeout 60';

function wordsFor(output: string): string[] {
  return [program, 'train', '--train-list', faces, '--output', output, ...`${settings} ${writing}`.split(' ')];
}

/** Kills a random rank at a random time after every few steps. @returns how the run ended */
async function disturbed(output: string): Promise<{ status: number; killed: string[]; notes: string[] }> {
  const children: ChildProcess[] = [];
  const killed: string[] = [];
  const notes: string[] = [];
  let rows = 0;
  const watcher = watch(output, (_, name) => {
    if (name !== 'metrics.jsonl' || killed.length === wanted || ++rows % 2 > 0) return;
    const [rank, delay] = [hash(killed.length, 1) % ranks, hash(killed.length, rows) % 3000];
    const [victim, step] = [children[rank], readMetrics(join(output, name)).at(-1)?.step];
    setTimeout(() => {
      if (killed.length < wanted && victim?.kill('SIGKILL') === true) killed.push(`rank ${rank} after step ${step}`);
    }, delay);
  });
  const status = await launch({
    ranks,
    maxRestarts: wanted,
    command: (attempt) => [...wordsFor(output), ...(attempt > 0 ? ['--resume'] : [])],
    onStart: (rank, child) => {
      children[rank] = child;
    },
    onNote: (line) => notes.push(line),
  });
  watcher.close();
  return { status, killed, notes };
}

const folder = (): string => mkdtempSync(join(tmpdir(), 'magface-kill-'));
const losses = (output: string): number[] => readMetrics(join(output, 'metrics.jsonl')).map(({ loss }) => loss);

const [whole, broken] = [folder(), folder()];
await launch({ ranks, command: () => wordsFor(whole) });
const { status, killed, notes } = await disturbed(broken);
const checkpoints = listCheckpoints(broken);
for (const file of checkpoints) await readCheckpoint(file); // throws if it is damaged
writeResult('kill-rank', {
  ranks,
  status,
  kills: killed.length,
  restarts: notes.filter((line) => line.includes('starting again')).length,
  steps: losses(whole).length,
  lossesAreThoseOfTheUndisturbedRun: JSON.stringify(losses(broken)) === JSON.stringify(losses(whole)),
  wholeCheckpoints: checkpoints.length,
  partsLeft: readdirSync(broken).filter((name) => name.includes('.shard-')).length,
  killed,
});
