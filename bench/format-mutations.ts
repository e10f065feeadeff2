/**
 * Every reader of files against 10,000 damaged files: flipped bytes, cuts, growth, lengths of 2^31 and 2^63, lists that
 * hold themselves, deep nesting. Each must end in a result or a FormatError within 2 s and 512 MB:
 *
 *     npx tsx bench/format-mutations.ts [--runs 10000] [--first-seed 1000]
 *
 * Each reader runs in a process of its own, whose peak memory is what the system says; seconds are of the processor, which
 * other programs do not change; results/format-mutations.json.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { FormatError } from '../packages/magface/src/errors.ts';
import { bytesSource } from '../packages/magface/src/format/byte-source.ts';
import { mutated } from '../packages/magface/test/support/mutations.ts';
import { type ReaderUnderTest, readersUnderTest } from '../packages/magface/test/support/readers.ts';
import { writeResult } from './support/result.ts';

const { values: flags } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    'first-seed': { type: 'string', default: '1000' },
    only: { type: 'string' },
  },
});
const [runs, firstSeed] = [Number(flags.runs), Number(flags['first-seed'])];

async function attack({ name, bytes, readAll }: ReaderUnderTest): Promise<Record<string, unknown>> {
  const counts = { read: 0, refused: 0 };
  const failures: string[] = [];
  let slowest = { milliseconds: 0, seed: -1 };
  for (let seed = firstSeed; seed < firstSeed + runs; seed++) {
    const source = bytesSource(mutated(bytes, seed), name);
    const start = process.cpuUsage();
    const error: unknown = await readAll(source).catch((reason: unknown) => reason);
    const { user, system } = process.cpuUsage(start);
    const milliseconds = Math.round((user + system) / 1000);
    if (milliseconds > slowest.milliseconds) slowest = { milliseconds, seed };
    if (error === undefined) counts.read++;
    else if (error instanceof FormatError && error.file !== '' && error.offset !== undefined) counts.refused++;
    else failures.push(`seed ${seed}: ${error}`);
  }
  const peakMB = Math.round(process.resourceUsage().maxRSS / 1000);
  return { name, bytes: bytes.length, ...counts, failures: failures.slice(0, 5), slowest, peakMB };
}

const readers = await readersUnderTest();
const one = readers.find(({ name }) => name === flags.only);
if (one !== undefined) {
  process.stdout.write(JSON.stringify(await attack(one)));
} else {
  const readersResults = readers.map(({ name }) => {
    const script = fileURLToPath(import.meta.url);
    const given = ['--runs', String(runs), '--first-seed', String(firstSeed), '--only', name];
    const options = { encoding: 'utf8', timeout: 7_200_000 } as const;
    return JSON.parse(execFileSync(process.execPath, ['--import', 'tsx', script, ...given], options)) as object;
  });
  writeResult('format-mutations', { runs, firstSeed, limits: { seconds: 2, megabytes: 512 }, readers: readersResults });
}
