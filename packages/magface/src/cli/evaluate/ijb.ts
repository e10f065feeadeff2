/** `magface evaluate ijb`: IJB-B and IJB-C, 1:1 and, if gallery files exist, 1:N. */
import type { Command } from 'commander';
import { ConfigError } from '../../errors.ts';
import { type Identification, identify } from '../../eval/identification.ts';
import { evaluateIjb, type IjbVerification } from '../../eval/ijb.ts';
import { findIjbFiles, readFaceTemplates, readTemplatePairs, readTemplateSubjects } from '../../eval/ijb-files.ts';
import { openFeatureFile } from '../../format/feature-reader.ts';
import { inPercent } from '../../report/page.ts';
import type { ConfigOf } from '../../settings/setting.ts';
import { type Context, note } from '../context.ts';
import { formatOf, outputSettings } from '../options.ts';
import { type Column, printRecord } from '../output.ts';
import { addSettings } from '../setting-flags.ts';

const settings = {
  features: {
    group: 'Data:',
    takes: 'text',
    value: '<file>',
    says: 'features in the order of ijbT_face_tid_mid.txt: official text, or .npy',
    required: true,
  },
  meta: {
    group: 'Data:',
    takes: 'text',
    value: '<dir>',
    says: 'folder with ijbT_face_tid_mid.txt and ijbT_template_pair_label.txt',
    required: true,
  },
  type: {
    group: 'Data:',
    takes: 'choice',
    choices: ['b', 'c'],
    value: '<t>',
    says: 'IJB-B or IJB-C',
    default: 'c',
  },
  magnitudeWeighted: {
    group: 'Protocol:',
    takes: 'boolean',
    value: '',
    says: 'weight each medium of a template by its magnitude (MagFace+)',
  },
  identify: {
    group: 'Protocol:',
    takes: 'boolean',
    value: '',
    says: 'add CMC and TPIR at FPIR against each gallery',
  },
  threads: { group: 'Protocol:', takes: 'count', value: '<n>', says: 'threads', otherwise: 'all cores' },
  ...outputSettings,
} as const;

type Flags = ConfigOf<typeof settings>;

/** The contract's fields; `identification` by gallery file if requested. */
interface IjbResult extends IjbVerification {
  readonly identification?: Readonly<Record<string, Identification>>;
}

const stages = {
  templates: 'Reading features into templates …',
  scores: 'Comparing pairs …',
  curve: 'Sorting scores …',
};

export function defineEvaluateIjb(command: Command, context: Context): void {
  command.description(
    'Measure TAR at six FARs over template pairs by the IJB protocol; with --identify also 1:N against the galleries.',
  );
  addSettings(command, settings).action(async (flags: Flags) => {
    const result = await measure(flags, (line) => flags.quiet !== true && note(context, line));
    if (flags.quiet !== true) for (const limit of result.limits) note(context, limit);
    const csv = { rows: rowsOf(result), columns };
    await printRecord(context.stdout, { ...result }, { format: formatOf(flags), lines: linesOf(result), csv });
  });
}

async function measure(
  { features: file, meta, type, magnitudeWeighted = false, ...flags }: Flags,
  say: (line: string) => void,
): Promise<IjbResult> {
  const files = await findIjbFiles(meta, type);
  if (flags.identify === true && (files.probes === undefined || files.galleries.length === 0))
    throw new ConfigError('identify', {
      expected: `ijb${type}_1N_probe_mixed.csv and ijb${type}_1N_gallery_*.csv in ${meta}`,
      problem: 'they are missing',
      remedy: 'add them or leave --identify out',
    });
  const { dimension, blocks: features } = await openFeatureFile(file);
  const [faces, pairs] = await Promise.all([readFaceTemplates(files.faces), readTemplatePairs(files.pairs)]);
  const threads = flags.threads === undefined ? {} : { threads: flags.threads };
  const { result, templates } = await evaluateIjb(
    { features, dimension, faces, pairs },
    { magnitudeWeighted, onStage: (stage) => say(stages[stage]), ...threads },
  );
  if (flags.identify !== true || files.probes === undefined) return result;
  say('Searching the galleries …');
  const probes = await readTemplateSubjects(files.probes);
  const identification: Record<string, Identification> = {};
  for (const gallery of files.galleries) {
    const name = gallery.replace(/^.*_gallery_|\.csv$/g, '');
    identification[name] = await identify(templates, await readTemplateSubjects(gallery), { probes, ...threads });
  }
  return { ...result, identification };
}

/** One figure, for CSV. */
interface Row {
  readonly figure: 'tar' | 'exactTar' | 'cmc' | 'tpir';
  /** In 1:N figures. */
  readonly gallery?: string;
  /** False accept rate, rank or FPIR. */
  readonly at: number;
  readonly value: number | null;
  readonly threshold?: number;
}

const columns: readonly Column<Row>[] = [
  { title: 'figure', value: ({ figure }) => figure },
  { title: 'gallery', value: ({ gallery }) => gallery },
  { title: 'far [fraction]', value: ({ figure, at }) => (figure === 'tar' || figure === 'exactTar' ? at : undefined) },
  { title: 'rank [place]', value: ({ figure, at }) => (figure === 'cmc' ? at : undefined) },
  { title: 'fpir [fraction]', value: ({ figure, at }) => (figure === 'tpir' ? at : undefined) },
  { title: 'value [fraction]', value: ({ value }) => value ?? undefined },
  { title: 'threshold [cosine]', value: ({ threshold }) => threshold },
];

function rowsOf({ far, tar, exact, identification = {} }: IjbResult): Row[] {
  return [
    ...far.map((at, i): Row => ({ figure: 'tar', at, value: tar[i]! })),
    ...exact.flatMap((point): Row[] =>
      point === null ? [] : [{ figure: 'exactTar', at: point.far, value: point.tar, threshold: point.threshold }],
    ),
    ...Object.entries(identification).flatMap(([gallery, { cmc, tpirAtFpir }]): Row[] => [
      ...Object.entries(cmc).map(([rank, value]): Row => ({ figure: 'cmc', gallery, at: Number(rank), value })),
      ...Object.entries(tpirAtFpir).map(([fpir, value]): Row => ({ figure: 'tpir', gallery, at: Number(fpir), value })),
    ]),
  ];
}

function linesOf(result: IjbResult): string[] {
  const exact = (i: number): string => {
    const point = result.exact[i];
    return point == null ? '-' : `${inPercent(point.tar)} at ${point.threshold.toFixed(4)}`;
  };
  return [
    `${result.images} images, ${result.templates} templates, ${result.pairs} pairs: ${result.genuine} genuine, ${result.impostor} impostor${result.magnitudeWeighted ? '; magnitude-weighted' : ''}`,
    'FAR      TAR (official)  exact',
    ...result.far.map((far, i) => `${far.toExponential().padEnd(9)}${inPercent(result.tar[i]!).padEnd(16)}${exact(i)}`),
    ...Object.entries(result.identification ?? {}).flatMap(([gallery, found]) => identificationLines(gallery, found)),
  ];
}

function identificationLines(
  gallery: string,
  { cmc, tpirAtFpir, matedProbes, gallery: size }: Identification,
): string[] {
  const ranks = Object.entries(cmc).map(([rank, share]) => `rank ${rank} ${inPercent(share)}`);
  const open = Object.entries(tpirAtFpir).map(
    ([fpir, share]) => `TPIR at FPIR ${fpir} ${share === null ? '-' : inPercent(share)}`,
  );
  return [`Gallery ${gallery}: ${size} subjects, ${matedProbes} mated probes: ${[...ranks, ...open].join(', ')}`];
}
