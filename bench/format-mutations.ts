/**
 * Tests every file reader with damaged files: flipped bytes, truncation, extra data, lengths of 2^31 and 2^63, lists that
 * contain themselves, deep nesting. Each must return a result or a clear error within 2 s and 512 MB:
 *
 *     npx tsx bench/format-mutations.ts [--runs 10000] [--first-seed 1000]       results/format-mutations.json
 *     npx tsx bench/format-mutations.ts --minutes 60 [--first-seed 100000]       results/format-fuzz-hour.json
 *
 * Each reader runs in its own process, whose peak memory the system reports. Seconds and minutes are CPU time, which other
 * programs do not affect. With --minutes all readers get equal shares.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { bytesSource } from '../packages/magface/src/format/byte-source.ts';
import { mutated } from '../packages/magface/test/support/mutations.ts';
import { isRefusal, type ReaderUnderTest, readersUnderTest } from '../packages/magface/test/support/readers.ts';
import { writeResult } from './support/result.ts';

const { values: flags } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000' },
    minutes: { type: 'string' },
    'first-seed': { type: 'string', default: '1000' },
    only: { type: 'string' },
  },
});
const firstSeed = Number(flags['first-seed']);
const minutes = flags.minutes === undefined ? undefined : Number(flags.minutes);
const readers = await readersUnderTest();

const processorMs = (since?: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1000;
};

async function attack(reader: ReaderUnderTest): Promise<Record<string, unknown>> {
  const { name, bytes, readAll } = reader;
  const counts = { read: 0, refused: 0 };
  const failures: string[] = [];
  let slowest = { milliseconds: 0, seed: -1 };
  const untilMs =
    minutes === undefined ? Number.POSITIVE_INFINITY : processorMs() + (minutes / readers.length) * 60_000;
  const runs = minutes === undefined ? Number(flags.runs) : Number.POSITIVE_INFINITY;
  for (let seed = firstSeed; seed < firstSeed + runs && processorMs() < untilMs; seed++) {
    const source = bytesSource(mutated(bytes, seed), name);
    const start = process.cpuUsage();
    const error: unknown = await readAll(source).catch((reason: unknown) => reason);
    const milliseconds = Math.round(processorMs(start));
    if (milliseconds > slowest.milliseconds) slowest = { milliseconds, seed };
    if (!(error instanceof Error)) counts.read++;
    else if (isRefusal(reader, error)) counts.refused++;
    else failures.push(`seed ${seed}: ${error}`);
  }
  const peakMB = Math.round(process.resourceUsage().maxRSS / 1000);
  return {
    name,
    bytes: bytes.length,
    ...counts,
    failed: failures.length,
    failures: failures.slice(0, 5),
    slowest,
    peakMB,
  };
}

/** Runs in its own process, so that a crash counts as a failure of the reader. */
function attackApart({ name }: ReaderUnderTest): Record<string, unknown> {
  const script = fileURLToPath(import.meta.url);
  const length = minutes === undefined ? ['--runs', flags.runs] : ['--minutes', String(minutes)];
  const given = [...length, '--first-seed', String(firstSeed), '--only', name];
  const conditions = process.execArgv.includes('--import')
    ? process.execArgv
    : ['--import', 'tsx', ...process.execArgv];
  try {
    const text = execFileSync(process.execPath, [...conditions, script, ...given], {
      encoding: 'utf8',
      timeout: 7_200_000,
    });
    return JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    return { name, failed: 1, failures: [`the process ended: ${String(error).split('\n')[0]}`] };
  }
}

const one = readers.find(({ name }) => name === flags.only);
if (one !== undefined) {
  process.stdout.write(JSON.stringify(await attack(one)));
} else {
  const results = readers.map((reader) => {
    const result = attackApart(reader);
    process.stderr.write(`${JSON.stringify(result)}\n`);
    return result;
  });
  const length = minutes === undefined ? { runs: Number(flags.runs) } : { processorMinutes: minutes };
  const name = minutes === undefined ? 'format-mutations' : 'format-fuzz-hour';
  const total = results.reduce((sum, { read, refused }) => sum + Number(read ?? 0) + Number(refused ?? 0), 0);
  writeResult(name, { ...length, firstSeed, files: total, limits: { seconds: 2, megabytes: 512 }, readers: results });
}
