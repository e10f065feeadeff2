/** `magface evaluate clusters`: groups faces into people and compares with the truth. */
import { basename } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { ConfigError } from '../../errors.ts';
import {
  type ClusterMethod,
  clusterFaces,
  clusterMethods,
  type MagnitudeRole,
  magnitudeRoles,
} from '../../eval/clusters/cluster-faces.ts';
import { type ClusterMeasures, measureClusters } from '../../eval/clusters/cluster-measures.ts';
import type { FeatureSet } from '../../eval/feature-set.ts';
import type { ConfigOf } from '../../settings/setting.ts';
import { type Context, note } from '../context.ts';
import {
  cacheSettings,
  configSettings,
  flipSettings,
  formatOf,
  modelSettings,
  outputSettings,
  under,
} from '../options.ts';
import { type Column, printRecord } from '../output.ts';
import { addSettings } from '../setting-flags.ts';
import { type LabelledFaces, labelledFaces } from './cluster-input.ts';

const usual: readonly number[] = [0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6];

const settings = {
  features: {
    group: 'Data:',
    takes: 'text',
    value: '<file>',
    says: 'features: official text, .npy, .safetensors or .jsonl',
  },
  faces: {
    group: 'Data:',
    takes: 'text',
    value: '<dir>',
    says: 'or images, to be embedded: a folder (searched recursively), a glob or one file',
  },
  people: {
    group: 'Data:',
    takes: 'text',
    value: '<file>',
    says: 'lines "name identity", or a list of IJB-B’s test 7',
    otherwise: 'the images’ folders',
  },
  methods: {
    group: 'Protocol:',
    takes: 'choices',
    choices: clusterMethods,
    value: '<name...>',
    says: 'algorithms',
    default: clusterMethods,
  },
  magnitude: {
    group: 'Protocol:',
    takes: 'choices',
    choices: magnitudeRoles,
    value: '<role...>',
    says: 'what magnitude does',
    default: magnitudeRoles,
  },
  thresholds: {
    group: 'Protocol:',
    takes: 'text',
    parse: cosines,
    value: '<list>',
    says: 'cosines, such as 0.3,0.4',
    default: usual,
  },
  clusters: {
    group: 'Protocol:',
    takes: 'count',
    value: '<k>',
    says: 'clusters of k-means',
    otherwise: 'the hint of IJB-B, else the true number',
  },
  founders: {
    group: 'Protocol:',
    takes: 'share',
    value: '<share>',
    says: 'share of the faces that may found a cluster',
    default: 0.75,
  },
  minFaces: {
    group: 'Protocol:',
    takes: 'count',
    value: '<n>',
    says: 'faces around a core of DBSCAN, its own included',
    default: 2,
  },
  seed: {
    group: 'Protocol:',
    takes: 'count',
    value: '<n>',
    says: 'seed of k-means and Chinese whispers',
    default: 1,
  },
  ...modelSettings,
  ...under('Features:', { ...flipSettings, ...cacheSettings }),
  ...configSettings,
  ...outputSettings,
} as const;

type ClusterFlags = ConfigOf<typeof settings>;

const examples = `
Every algorithm runs without the magnitude (none), with it as the weight of a
face in means, sums and votes (weight), and with only the faces of high
magnitude founding clusters, which the others may join (found).
The table shows the threshold with the best B-cubed F on these very labels;
--json and --format csv have all thresholds.

Examples:
  magface evaluate clusters --faces aligned/ --aligned --methods ahc
  magface evaluate clusters --features f.npy --people people.txt --json
  magface evaluate clusters --features ijbb512.npy \\
      --people test7_clustering/ijbb_clustering_512_hint_1000.csv`;

export function defineEvaluateClusters(command: Command, context: Context): void {
  command.description(
    'Group faces into people: pairwise and B-cubed precision, recall and F, and NMI against the truth.',
  );
  addSettings(command, settings).addHelpText('after', examples);
  command.action(async (flags: ClusterFlags) => evaluateClusters(flags, context));
}

/** Rising cosines, each once. */
function cosines(text: string): readonly number[] {
  const given = text.split(',').map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  if (given.every((value) => value > -1 && value <= 1)) return [...new Set(given)].sort((a, b) => a - b);
  throw new InvalidArgumentError('Expected cosines with commas between them, such as 0.3,0.4.');
}

/** One algorithm in one role of the magnitude at one threshold. */
interface ClusterRow extends ClusterMeasures {
  readonly method: ClusterMethod;
  readonly magnitude: MagnitudeRole;
  /** Null for k-means. */
  readonly threshold: number | null;
  /** Whether no other threshold has a higher B-cubed F. */
  readonly best: boolean;
}

async function evaluateClusters(flags: ClusterFlags, context: Context): Promise<void> {
  const { methods, magnitude, founders, minFaces, seed, thresholds } = flags;
  if (founders === 0)
    throw new ConfigError('founders', {
      expected: 'a share of founders above 0',
      received: 0,
      remedy: 'use 0.75, for example',
    });
  const faces = await labelledFaces(flags, context);
  const trueNumber = new Set(faces.people).size;
  const clusters = flags.clusters ?? Math.min(faces.hint ?? trueNumber, faces.people.length);
  const options = { clusters, founders, minFaces, seed, thresholds };
  const results = methods.flatMap((method) =>
    magnitude.flatMap((role) => {
      if (flags.quiet !== true) note(context, `Clustering ${faces.people.length} faces by ${method}, ${role} …`);
      return rowsOf(faces.features, faces.people, { ...options, method, magnitude: role });
    }),
  );
  const { model, name } = faces;
  const record = {
    set: name,
    ...(model && { model }),
    faces: faces.people.length,
    people: trueNumber,
    ...options,
    results,
  };
  const lines = linesOf(faces, results, { trueNumber, clusters });
  await printRecord(context.stdout, record, { format: formatOf(flags), lines, csv: { rows: results, columns } });
}

function rowsOf(
  features: FeatureSet,
  people: Uint32Array,
  options: Parameters<typeof clusterFaces>[1] & Pick<ClusterRow, 'method' | 'magnitude'>,
): ClusterRow[] {
  const { method, magnitude } = options;
  const found = clusterFaces(features, options).map(({ threshold = null, clusters }) => ({
    ...{ method, magnitude, threshold },
    ...measureClusters(clusters, people),
  }));
  const most = found.reduce((a, b) => ((b.bcubed.f ?? 0) > (a.bcubed.f ?? 0) ? b : a));
  return found.map((row) => ({ ...row, best: row === most }));
}

const columns: readonly Column<ClusterRow>[] = [
  { title: 'method', value: ({ method }) => method },
  { title: 'magnitude', value: ({ magnitude }) => magnitude },
  { title: 'threshold [cosine]', value: ({ threshold }) => threshold ?? undefined },
  ...(['faces', 'people', 'clusters'] as const).map((key) => ({
    title: `${key} [count]`,
    value: (row: ClusterRow) => row[key],
  })),
  ...(['pairwise', 'bcubed'] as const).flatMap((kind) =>
    (['precision', 'recall', 'f'] as const).map((key) => ({
      title: `${kind} ${key} [fraction]`,
      value: (row: ClusterRow) => row[kind][key] ?? undefined,
    })),
  ),
  { title: 'nmi [fraction]', value: ({ nmi }) => nmi },
  { title: 'best', value: ({ best }) => best },
];

function linesOf(
  { name, model, people }: LabelledFaces,
  results: readonly ClusterRow[],
  { trueNumber, clusters }: { readonly trueNumber: number; readonly clusters: number },
): string[] {
  const figure = (value: number | null): string => (value === null ? '-' : value.toFixed(3)).padStart(6);
  const agreement = ({ precision, recall, f }: ClusterMeasures['pairwise']): string =>
    [precision, recall, f].map(figure).join('');
  const thresholds = new Set(results.flatMap(({ threshold }) => threshold ?? []));
  return [
    `${basename(name)}${model === undefined ? '' : `, ${model}`}: ${people.length} faces of ${trueNumber} people`,
    `${' '.repeat(36)}pairwise          B-cubed`,
    'method   magnitude cosine clusters prec.  rec.     F prec.  rec.     F   NMI',
    ...results
      .filter(({ best }) => best)
      .map(
        ({ method, magnitude, threshold, clusters: found, pairwise, bcubed, nmi }) =>
          `${method.padEnd(9)}${magnitude.padEnd(10)}${(threshold?.toFixed(2) ?? `k=${clusters}`).padStart(6)}${String(found).padStart(9)}${agreement(pairwise)}${agreement(bcubed)}${figure(nmi)}`,
      ),
    ...(thresholds.size > 1 ? ['Thresholds chosen by B-cubed F on these labels: upper bounds.'] : []),
  ];
}
