/**
 * Which number tells that a face will fail? Quality methods ranked by `magface lab` on the frontal and profile faces of CFP's
 * people of neither training nor choosing, on LFW's test people, and on the same pairs with damaged faces, for the default model,
 * the model it was made from, and an ArcFace MobileFaceNet:
 *
 *     npx tsx -C magface:source bench/lab.ts [--folder DIR] [--lfw-models NAME,...]
 *
 * The folder keeps aligned and damaged copies of the faces, and gets the page lab.html, which shows research images: keep it out of
 * the repository. Values are cached in MAGFACE_CACHE. Needs ../shared. Writes bench/results/lab.json. Takes half an hour on one
 * quiet core; `--lfw-models` keeps LFW to some of the models on a busy machine.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { stringify } from 'yaml';
import type { QualityMeaning } from '../packages/magface/src/eval/quality-meaning.ts';
import { researchFolder } from './support/data.ts';
import { worst, writeCfp, writeComponents, writeDamagedLfw, writeLfwList } from './support/lab-sets.ts';
import { writeResult } from './support/result.ts';

const { values: flags } = parseArgs({
  options: { folder: { type: 'string', default: 'output/lab' }, 'lfw-models': { type: 'string' } },
});
const shared = researchFolder('faces/lfw', 'faces/cfp-dev', 'models/foamliu_mobilefacenet.onnx');
const faces = `${shared}faces`;
const folder = resolve(flags.folder);
const command = fileURLToPath(new URL('../packages/magface/src/cli/main.ts', import.meta.url));

interface Measure {
  readonly set: string;
  readonly model: string;
  readonly name: string;
  readonly fmr: number;
  readonly paucArea: number | null;
  readonly paucRelative: number | null;
  readonly attained: number | null;
  /** 95 % interval of what the best measure's area is smaller by; absent for the best. */
  readonly behindBest?: readonly [number, number] | null;
}
interface Output {
  readonly measures: readonly Measure[];
  readonly meanings: readonly (QualityMeaning & { readonly set: string; readonly model: string })[];
  readonly failures: readonly unknown[];
  readonly provenance: { readonly parts: readonly (readonly [string, string])[] };
}

for (const name of ['cfp', 'damaged']) mkdirSync(join(folder, name), { recursive: true });
const cfp = await writeCfp(faces, join(folder, 'cfp'));
const lfw = writeLfwList(faces, folder);
const damaged = await writeDamagedLfw(faces, join(folder, 'damaged'));
const models = flags['lfw-models']?.split(',');
const only = models === undefined ? {} : { models };
const sets = [
  {
    name: 'CFP frontal-profile',
    set: join(folder, 'cfp'),
    pairs: cfp.pairs,
    aligned: true,
    scores: [cfp.scores, await writeComponents(join(folder, 'cfp'), cfp.pairs)],
  },
  {
    name: 'LFW, damaged',
    set: join(folder, 'damaged'),
    pairs: damaged,
    aligned: true,
    scores: [await writeComponents(join(folder, 'damaged'), damaged)],
    ...only,
  },
  {
    name: 'LFW',
    set: `${faces}/lfw`,
    pairs: lfw,
    aligned: true,
    scores: [await writeComponents(`${faces}/lfw`, lfw)],
    ...only,
  },
];
const suite = {
  title: 'Laboratory of face quality',
  models: [
    { name: 'magface-small', model: 'magface-small' },
    { name: 'MobileFaceNet', model: `${shared}models/foamliu_mobilefacenet.onnx` },
    { name: 'fr-feature', model: 'fr-feature' },
  ],
  methods: ['pruning', 'int8', 'flip', 'dropout'],
  sets,
};
writeFileSync(join(folder, 'suite.yaml'), stringify(suite));

const started = performance.now();
const words = ['lab', join(folder, 'suite.yaml'), '--json', '--workers', '1', '--threads', '1'];
const output = execFileSync(
  process.execPath,
  ['--import', 'tsx', command, ...words, '--report', join(folder, 'lab.html')],
  { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], maxBuffer: 1 << 28 },
);
const { measures, meanings, failures, provenance } = JSON.parse(output) as Output;

const rounded = (value: number | null, digits = 4): number | null =>
  value === null ? null : Number(value.toFixed(digits));
const rankings = [...new Set(measures.map(({ set, model }) => `${set}\n${model}`))].map((key) => {
  const [set, model] = key.split('\n') as [string, string];
  const rows = measures.filter((row) => row.set === set && row.model === model);
  return {
    set,
    model,
    fmr: rows[0]!.fmr,
    firstIsBetterThanEveryOther: rows.slice(1).every(({ behindBest }) => behindBest != null && behindBest[0] > 0),
    measures: rows.map(({ name, paucArea, paucRelative, attained, behindBest }) => ({
      name,
      paucTimes1000: rounded(paucArea === null ? null : 1000 * paucArea, 3),
      paucRelative: rounded(paucRelative),
      attained: rounded(attained),
      ...(behindBest && { behindBestTimes1000: behindBest.map((end) => rounded(1000 * end, 3)) }),
    })),
  };
});
writeResult('lab', {
  question: 'which number tells that a face will fail?',
  pairs: provenance.parts.filter(([what]) => what.startsWith('set ')),
  damage: `one of seven kinds a face, strength 0 to ${worst}`,
  seconds: Math.round((performance.now() - started) / 1000),
  failures,
  rankings,
  meanings: meanings.map(({ set, model, reliability, fairness = {} }) => ({
    set,
    model,
    genuine: reliability.genuine,
    eceOfFitted: rounded(reliability.fitted.ece),
    eceOfScore: rounded(reliability.score?.ece ?? null),
    groups: Object.entries(fairness).map(([column, { p, groups }]) => ({
      column,
      p: rounded(p),
      groups: groups.map(({ group, genuine, fnmr, ratio, ratioInterval }) => ({
        group,
        genuine,
        fnmr: rounded(fnmr),
        ratio: rounded(ratio, 2),
        ratioInterval: ratioInterval?.map((end) => rounded(end, 2)) ?? null,
      })),
    })),
  })),
});
