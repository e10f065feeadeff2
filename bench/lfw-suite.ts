/**
 * Runs `magface evaluate suite` on LFW with two models, as a user would, and compares with their expected figures. Then runs
 * it again from cached features:
 *
 *     npx tsx bench/lfw-suite.ts [--every N] [--model NAME]
 *
 * For a busy machine, `--every 10` uses every tenth pair and `--model` only one of the models. Needs LFW (`npm run data --
 * lfw`); features are cached in MAGFACE_CACHE. Writes bench/results/lfw-suite[-every-N].json. Takes about ten minutes on two
 * idle cores.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import { readPairList } from '../packages/magface/src/eval/pair-list.ts';
import { researchFolder } from './support/data.ts';
import { writeResult } from './support/result.ts';

const { values: flags } = parseArgs({
  options: { every: { type: 'string', default: '1' }, model: { type: 'string' } },
});
const shared = researchFolder('faces/lfw', 'models/foamliu_mobilefacenet.onnx');
const command = fileURLToPath(new URL('../packages/magface/src/cli/main.ts', import.meta.url));

/** Accuracy on LFW's ten folds with flip-sum features and plain cosine, from the models' READMEs. */
const held: Readonly<Record<string, number>> = { MobileFaceNet: 0.9907, 'fr-feature': 0.99 };

interface Result {
  readonly model: string;
  readonly pairs: number;
  readonly cosineAccuracy: number;
  readonly reject: { readonly fmr: number; readonly pauc: number | null; readonly baselines: object };
}

const folder = mkdtempSync(join(tmpdir(), 'lfw-suite-'));
try {
  const every = Number(flags.every);
  const images = `${shared}faces/lfw/aligned`;
  const list = await readPairList(`${shared}faces/lfw/pairs.txt`);
  const lines = list.left.map((left, k) => `${left}.jpg,${list.right[k]}.jpg,${list.same[k]}`);
  writeFileSync(join(folder, 'pairs.csv'), `left,right,same\n${lines.filter((_, k) => k % every === 0).join('\n')}\n`);
  const name = every === 1 ? 'LFW' : `LFW, one pair in ${every}`;
  const set = every === 1 ? { set: `${shared}faces/lfw`, images } : { set: images, pairs: 'pairs.csv' };
  const mobile = { name: 'MobileFaceNet', model: `${shared}models/foamliu_mobilefacenet.onnx` };
  const models = [mobile, { name: 'fr-feature', model: 'fr-feature' }].filter(
    (model) => flags.model === undefined || model.name === flags.model,
  );
  const suite = { title: name, output: 'out', flip: true, models, sets: [{ ...set, name, aligned: true }] };
  writeFileSync(join(folder, 'suite.yaml'), stringify(suite));

  const run = (): { results: Result[]; seconds: number } => {
    const started = performance.now();
    const words = ['--import', 'tsx', command, 'evaluate', 'suite', join(folder, 'suite.yaml'), '--json'];
    const output = execFileSync(process.execPath, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    return { ...(JSON.parse(output) as { results: Result[] }), seconds: (performance.now() - started) / 1000 };
  };
  const [first, second] = [run(), run()];
  const bytes = readFileSync(join(folder, 'out', 'report.html')).length;
  writeResult(every === 1 ? 'lfw-suite' : `lfw-suite-every-${every}`, {
    set: name,
    seconds: { first: first.seconds, second: second.seconds },
    reportMB: Math.round(bytes / 1e4) / 100,
    results: first.results.map(({ reject: { fmr, pauc, baselines }, ...result }) => ({
      ...result,
      heldTo: every === 1 ? (held[result.model] ?? null) : null,
      reject: { fmr, pauc, baselines },
    })),
  });
} finally {
  rmSync(folder, { recursive: true });
}
