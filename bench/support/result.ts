/** Records a benchmark's result with machine, versions and commit. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { writeBenchReadme } from './bench-readme.ts';

const folder = fileURLToPath(new URL('../results/', import.meta.url));

/** Facts about this run that affect its figures. */
export function machine(): Record<string, string | number> {
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: folder, encoding: 'utf8' }).trim();
  return {
    date: new Date().toISOString().slice(0, 10),
    commit,
    node: process.versions.node,
    platform: `${process.platform}-${process.arch}`,
    processor: cpus()[0]?.model ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    load: Number(loadavg()[0]!.toFixed(1)), // processes that ran or wanted a core in the last minute
  };
}

/** Writes bench/results/NAME.json and its row of bench/README.md, and prints the figures. */
export function writeResult(name: string, figures: Readonly<Record<string, unknown>>): void {
  mkdirSync(folder, { recursive: true });
  const text = `${JSON.stringify({ benchmark: name, machine: machine(), ...figures }, null, 2)}\n`;
  writeFileSync(`${folder}${name}.json`, text);
  writeBenchReadme();
  process.stdout.write(text);
}
