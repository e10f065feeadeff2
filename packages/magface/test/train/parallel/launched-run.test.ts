/** `magface train --nproc`: the same run whatever the number of processes, and through the death of one. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { toFloat32 } from '../../../src/format/tensor.ts';
import { listCheckpoints, readCheckpoint } from '../../../src/train/loop/checkpoint-file.ts';
import type { ValidationRow } from '../../../src/train/loop/validate.ts';
import { readMetrics, readRows } from '../../../src/train/record/metrics.ts';
import { describeTraining } from '../golden.ts';
import { smallSet, temporaryFolder, tinyRun } from '../small-set.ts';

const program = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url));

/** A run of 4 steps over 5 classes, a row of metrics a step. At this rate rounding does not grow from step to step. */
function wordsOf(set: string, output: string, more: readonly string[] = []): string[] {
  const { arch, embeddingSize } = tinyRun;
  const settings = {
    trainList: set,
    output,
    arch,
    embeddingSize,
    lr: 1e-7,
    batchSize: 5,
    epochs: 1,
    printFreq: 1,
    workers: 0,
  };
  const flags = Object.entries(settings).map(([name, value]) => [kebab(name), String(value)]);
  return [program, 'train', ...flags.flat(), '--save-steps', '1', '--threads', '1', ...more];
}

const kebab = (name: string): string => `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/** The greatest difference as a share of the greatest value. */
function difference(actual: Float32Array, expected: Float32Array): number {
  let [greatest, apart] = [0, 0];
  for (const [i, value] of expected.entries()) {
    greatest = Math.max(greatest, Math.abs(value));
    apart = Math.max(apart, Math.abs(actual[i]! - value));
  }
  return apart / greatest;
}

const lossesIn = (folder: string): number[] => readMetrics(join(folder, 'metrics.jsonl')).map(({ loss }) => loss);

function run(words: readonly string[]): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync(process.execPath, words, { encoding: 'utf8' });
  return { status, stderr };
}

describeTraining('magface train --nproc', () => {
  const set = smallSet(5, 4, 'person-'); // 4 steps
  const list = join(set, 'pairs.list');
  const pairs = Array.from({ length: 40 }, (_, i) => {
    const [a, b] = [i % 5, i % 2 === 0 ? i % 5 : (i + 1) % 5];
    return `person-${a}/${i % 3}.jpg person-${b}/3.jpg ${a === b ? 1 : 0}`;
  });
  writeFileSync(list, pairs.join('\n'));
  const validated = ['--eval-pairs', list, '--eval-root', set];

  test('two processes and one give the same losses, files and names; three resume what two began', async () => {
    const [one, two] = [temporaryFolder(), temporaryFolder()];
    expect(run(wordsOf(set, one, validated))).toMatchObject({ status: 0 });
    const parallel = run(wordsOf(set, two, [...validated, '--nproc', '2', '--max-steps', '2']));
    expect(parallel).toMatchObject({ status: 0, stderr: expect.stringContaining('2 ranks') });
    expect(run(wordsOf(set, two, [...validated, '--nproc=3', '--resume']))).toMatchObject({ status: 0 });

    const losses = lossesIn(one);
    expect(losses).toHaveLength(4);
    expect(lossesIn(two)).toHaveLength(4);
    for (const [step, loss] of lossesIn(two).entries()) expect(loss / losses[step]!, `step ${step}`).toBeCloseTo(1, 3);
    expect(
      readdirSync(two)
        .sort()
        .filter((name) => !name.startsWith('events')),
    ).toEqual(
      readdirSync(one)
        .sort()
        .filter((name) => !name.startsWith('events')),
    );
    const [byOne, byTwo] = [one, two].map((folder) => readRows<ValidationRow>(join(folder, 'validation.jsonl')));
    expect(byTwo).toHaveLength(1);
    expect(byTwo![0]!.auc).toBeCloseTo(byOne![0]!.auc, 1);
    const [ofOne, ofTwo] = await Promise.all([one, two].map((folder) => readCheckpoint(listCheckpoints(folder)[0]!)));
    for (const [name, tensor] of ofOne!.tensors) {
      const other = ofTwo!.tensors.get(name)!;
      expect(other).toMatchObject({ shape: tensor.shape, dtype: tensor.dtype });
    }
    // Velocities hold the gradients of all four steps: one that was lost or misplaced would differ by its own size.
    for (const name of ['optimizer.fc.weight', 'optimizer.features.stage0.down.conv.weight']) {
      const [expected, actual] = [ofOne, ofTwo].map((content) => toFloat32(content!.tensors.get(name)!));
      expect(difference(actual!, expected!), name).toBeLessThan(0.1);
    }
  });

  test('a killed rank ends the others; all restart and reach the same losses, to the bit', async () => {
    const [whole, broken] = [temporaryFolder(), temporaryFolder()];
    expect(run(wordsOf(set, whole, ['--nproc', '2']))).toMatchObject({ status: 0 });
    const launcher = spawn(process.execPath, wordsOf(set, broken, ['--nproc', '2', '--max-restarts', '1']), {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    let isKilled = false;
    launcher.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (isKilled || !said.includes('step 2')) return;
      isKilled = true;
      const [victim] = spawnSync('pgrep', ['-P', `${launcher.pid}`], { encoding: 'utf8' })
        .stdout.split('\n')
        .slice(1);
      process.kill(Number(victim), 'SIGKILL');
    });
    const status = await new Promise((resolve) => launcher.on('close', resolve));
    expect(said).toMatch(/Rank 1 was ended by SIGKILL: restarting from the last checkpoint \(1 of 1\)/);
    expect(said).toMatch(/but rank 1 failed or did not arrive/);
    expect(status).toBe(0);
    expect(lossesIn(broken)).toEqual(lossesIn(whole));
    expect(readdirSync(broken).filter((name) => name.includes('.shard-'))).toEqual([]);
  });

  test('more processes than classes are rejected before the first step', () => {
    const { status, stderr } = run(wordsOf(smallSet(2, 4), temporaryFolder(), ['--nproc', '3']));
    expect(status).toBe(2);
    expect(stderr).toMatch(/at most one process for each of the 2 classes but there are 3: lower --nproc/);
    expect(stderr).not.toMatch(/is unexpected/);
  });

  test('wrong settings are reported once and not retried; fp16 on the CPU suggests bf16', () => {
    const output = temporaryFolder();
    const { status, stderr } = run(wordsOf(set, output, ['--nproc', '2', '--max-restarts', '2', '--fp16', '1']));
    expect(status).toBe(2);
    expect(stderr.match(/use --precision bf16/g)).toHaveLength(1);
    expect(existsSync(join(output, 'metrics.jsonl'))).toBe(false);
  });
});
