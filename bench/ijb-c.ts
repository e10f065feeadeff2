/**
 * Measures time and peak memory of IJB-C 1:1 at full size, from features to TAR at six FARs:
 *
 *     npx tsx bench/ijb-c.ts [--share 1] [--text-share 0.1]
 *
 * The full size is read from .npy. The official text format (5 GB at full size) is measured at `--text-share`, and the time
 * to read its features is extrapolated. At 4 % the official script took 14.0 s and 1.54 GB, reading text on two cores of
 * another machine. The data are synthetic and removed afterwards; results/ijb-c.json has the figures.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { makeIjb, shareOf } from './support/ijb-data.ts';
import { writeResult } from './support/result.ts';

interface Run {
  readonly seconds: number;
  /** CPU time of all threads, which excludes waiting on a busy machine. */
  readonly cpuSeconds: number;
  readonly peakGB: number;
  readonly stages: Record<string, number>;
  readonly tar: readonly number[];
}

const { values: flags } = parseArgs({
  options: { share: { type: 'string', default: '1' }, 'text-share': { type: 'string', default: '0.1' } },
});
const once = fileURLToPath(new URL('./support/ijb-once.ts', import.meta.url));

async function measure(
  share: number,
  format: 'npy' | 'list',
): Promise<Run & { share: number; format: string; featureGB: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'ijb-c-'));
  try {
    await makeIjb(folder, shareOf(share), format);
    const features = join(folder, `features.${format}`);
    const output = execFileSync(process.execPath, ['--import', 'tsx', once, folder, features], { encoding: 'utf8' });
    const featureGB = Math.round(statSync(features).size / 1e7) / 100;
    return { share, format, featureGB, ...(JSON.parse(output) as Run) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const full = await measure(Number(flags.share), 'npy');
const text = await measure(Number(flags['text-share']), 'list');
const small = await measure(0.04, 'list');
const textSeconds = (text.stages['templates'] ?? 0) / text.share;
writeResult('ijb-c', {
  loadAverage: Math.round(loadavg()[0]!), // above the number of cores, the seconds are inflated
  runs: [full, text, small],
  fullSizeFromText: {
    extrapolated: true,
    seconds: Math.round(full.seconds - (full.stages['templates'] ?? 0) + textSeconds),
    textMBPerSecond: Math.round((text.featureGB * 1000) / (text.stages['templates'] ?? 1)),
  },
  officialAtFourPercent: { seconds: 14.0, peakGB: 1.54, machine: 'another, two cores' },
});
