/**
 * Tests whether training in bfloat16 with fused operators reaches the same accuracy as float32: compares runs of one recipe
 * in float32 with several seeds, and in bfloat16, each a finished `magface train` with `--eval-pairs`:
 *
 *     npx tsx -C magface:source bench/precision-seeds.ts RUN_FOLDER...
 *
 * Reads the settings from each run's newest checkpoint, and its last validation. On a processor without bfloat16 the type is
 * emulated (docs/speed.md), with the same numbers but not the speed.
 */
import { processor, torchVersion } from '@magface/torch';
import { finishedRun } from './support/finished-run.ts';
import { writeResult } from './support/result.ts';

async function runOf(folder: string) {
  const { config, validation } = await finishedRun(folder);
  return { config, ...validation.at(-1)! };
}
type Run = Awaited<ReturnType<typeof runOf>>;

const runs = await Promise.all(process.argv.slice(2).map(runOf));
const of = (precision: string) => runs.filter(({ config }) => config.precision === precision);
if (of('fp32').length < 3 || of('bf16').length === 0) throw new Error('Expected three runs in fp32 and one in bf16.');

/** Results of float32 over seeds, and the distance of bfloat16 from their mean in standard deviations. */
function beside(name: string, figureOf: (run: Run) => number) {
  const float = of('fp32').map(figureOf);
  const small = of('bf16').map(figureOf);
  const mean = float.reduce((sum, value) => sum + value) / float.length;
  const deviation = Math.sqrt(float.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (float.length - 1));
  const away = small.map((value) => (value - mean) / deviation);
  const isWithin = small.every((value) => value >= Math.min(...float) && value <= Math.max(...float));
  return [name, { fp32: float, mean, deviation, bf16: small, deviationsAway: away, withinTheSeeds: isWithin }] as const;
}

const { trainList: _, root, output, evalPairs, evalRoot, seed, precision, ...recipe } = runs[0]!.config;
writeResult('precision-seeds', {
  libtorch: torchVersion(),
  bfloat16By: processor().bfloat16 ? 'the processor' : 'float32 on rounded values',
  recipe,
  runs: runs.map(({ config, ...row }) => ({ precision: config.precision, seed: config.seed, ...row })),
  ...Object.fromEntries([
    beside('accuracy', (run) => run.accuracy),
    beside('auc', (run) => run.auc),
    ...[0, 10, 20, 30].map((percent, i) => beside(`fnmrWithout${percent}Percent`, (run) => run.rejectFnmr[i]!)),
  ]),
});
