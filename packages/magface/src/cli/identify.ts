/** `magface identify`: finds the people in a gallery most similar to a face. */
import type { Command } from 'commander';
import { type DecisionThreshold, expectedFalseHits, rateTaken, thresholdAt } from '../decision.ts';
import type { Gallery } from '../gallery/gallery.ts';
import type { StoredPerson } from '../gallery/gallery-types.ts';
import { identify as identifyFace } from '../gallery/identify.ts';
import type { OpenSetThreshold } from '../gallery/open-set.ts';
import type { ConfigOf } from '../settings/setting.ts';
import { type Context, note } from './context.ts';
import type { ExitCode } from './errors.ts';
import { expectGallery, galleryKey, gallerySettings, openGallery } from './gallery.ts';
import {
  decisionSettings,
  formatOf,
  inputSettings,
  inputWords,
  modelSettings,
  outputSettings,
  under,
} from './options.ts';
import { type Column, createRows } from './output.ts';
import { printedRow, qualityInCsv, qualityInTable } from './quality-column.ts';
import { runImages } from './run-images.ts';
import { addSettings } from './setting-flags.ts';

const settings = {
  ...gallerySettings,
  best: { group: 'Gallery:', takes: 'count', value: '<n>', says: 'number of people to list per face', default: 1 },
  ...under('Gallery:', decisionSettings),
  fpir: {
    group: 'Gallery:',
    takes: 'rate',
    value: '<rate>',
    says: 'name a person or say "unknown": the share of strangers who may be named',
  },
  ...inputSettings,
  ...modelSettings,
  ...outputSettings,
} as const;

type Flags = ConfigOf<typeof settings>;

/** One face and one similar person; no person if the gallery is empty. */
interface MatchRow {
  readonly image: string;
  /** From 0, largest first. */
  readonly face: number;
  /** Not rounded. */
  readonly quality: number | null;
  readonly person: string | null;
  readonly similarity: number | null;
  /** Null if the model has no threshold. */
  readonly same: boolean | null;
  /** Minimum similarity of a match; null if the model has none. */
  readonly threshold: number | null;
  /** False match rate of the threshold, for one comparison. */
  readonly fmr: number | null;
  readonly fmrAsked: number;
  /** Expected false hits of a stranger's face: the rate times the number of people. */
  readonly expectedFalseHits: number | null;
  /** By how much the best person is more similar than the next. */
  readonly margin: number | null;
  /** With `--fpir`: the person that the face shows; null is "unknown". */
  readonly named?: string | null;
  readonly openSet?: OpenSetThreshold;
}

/** The threshold, and the number of people. */
interface Deciding {
  readonly taken: DecisionThreshold | undefined;
  readonly people: number;
}

const table: readonly Column<MatchRow>[] = [
  { title: 'image', value: ({ image }) => image, layout: 'middle' },
  { title: 'face', value: ({ face }) => face, layout: 'right' },
  qualityInTable,
  { title: 'person', value: ({ person }) => person ?? undefined, layout: 'middle' },
  { title: 'similarity', value: ({ similarity }) => similarity?.toFixed(4), layout: 'right' },
  { title: 'same', value: ({ same }) => (same === null ? undefined : same ? 'yes' : 'no') },
];
/** With `--fpir`, the answer stands instead of decisions on single people. */
const named: Column<MatchRow> = {
  title: 'named',
  value: ({ named: person }) => person ?? 'unknown',
  layout: 'middle',
};
const margin: Column<MatchRow> = { title: 'margin', value: (row) => row.margin?.toFixed(4), layout: 'right' };
const openTable: readonly Column<MatchRow>[] = [...table.filter(({ title }) => title !== 'same'), margin, named];

const csv: readonly Column<MatchRow>[] = [
  ...table.map((column) => (column === qualityInTable ? qualityInCsv : column)),
  { title: 'threshold', value: ({ threshold }) => threshold ?? undefined },
  { title: 'fmr', value: ({ fmr }) => fmr ?? undefined },
  { title: 'expectedFalseHits', value: (row) => row.expectedFalseHits ?? undefined },
];
const openCsv: readonly Column<MatchRow>[] = [
  ...csv,
  { title: 'margin', value: (row) => row.margin ?? undefined },
  { ...named, value: ({ named: person }) => person ?? undefined },
  { title: 'fpir', value: ({ openSet }) => openSet?.fpir },
  { title: 'fpirThreshold', value: ({ openSet }) => openSet?.threshold },
];

const examples = `
Examples:
  magface identify --gallery people group.jpg --best 3
  magface identify --gallery people group.jpg --fpir 0.01

The threshold was measured for one comparison of two faces. Among N people a
stranger has N chances of a false match, so expect about rate x N of them. Use a
smaller --fmr for more people, or --fpir: the share of strangers who may be
given a name. Its threshold comes from the gallery's own people, each taken for
a stranger to the others; from fewer than 20 people it comes from the model's
rates. A face below it is "unknown".`;

export function defineIdentify(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command.description('Find the people in a gallery whom each face resembles most.').argument('[input...]', inputWords);
  addSettings(command, settings).addHelpText('after', examples);
  command.action(async (inputs: string[], flags: Flags) => done(await identify(inputs, flags, context)));
}

async function identify(inputs: readonly string[], flags: Flags, context: Context): Promise<ExitCode> {
  await expectGallery(flags.gallery);
  const key = await galleryKey(flags.galleryKey, context);
  const rows = createRows(context.stdout, {
    format: formatOf(flags),
    table: flags.fpir === undefined ? table : openTable,
    csv: flags.fpir === undefined ? csv : openCsv,
    json: printedRow,
  });
  let gallery: Gallery | undefined;
  let thresholds: readonly DecisionThreshold[] | undefined;
  let openSet: OpenSetThreshold | undefined;
  try {
    const { failed } = await runImages(inputs, flags, {
      context,
      start: async ({ model }) => {
        const taken = thresholdAt(model.contract.thresholds, flags.fmr);
        gallery = await openGallery(flags.gallery, model, { readOnly: true, key });
        thresholds = model.contract.thresholds;
        const { people } = await gallery.count();
        if (flags.fpir !== undefined && people > 0) openSet = await openSetOf(gallery, thresholds, flags.fpir);
        if (openSet !== undefined && flags.quiet !== true) note(context, openSetNote(openSet, people));
        if (flags.quiet !== true && openSet === undefined)
          for (const line of notes({ taken, people }, flags, model.name)) note(context, line);
      },
      outcome: async (outcome) => {
        if (!('faces' in outcome)) return;
        for (const [face, { embedding, quality = null }] of outcome.faces.entries()) {
          const asked = { thresholds, limit: flags.best, fmr: flags.fmr, openSet };
          const { matches, threshold, fmr, expectedFalseHits, margin, named } = await identifyFace(
            gallery!,
            embedding,
            asked,
          );
          const found = matches.length > 0 ? matches : [{ person: null, similarity: null, same: null }];
          for (const { person, similarity, same } of found) {
            const match = { image: outcome.file.name, face, quality, person, similarity, same };
            const rule = { threshold, fmr, fmrAsked: flags.fmr, expectedFalseHits, margin };
            await rows.write({ ...match, ...rule, ...(openSet && { named, openSet }) });
          }
        }
      },
    });
    return failed > 0 ? 1 : 0;
  } finally {
    if (gallery !== undefined) await rows.close();
    await gallery?.[Symbol.asyncDispose]();
  }
}

async function openSetOf(
  gallery: Gallery,
  thresholds: readonly DecisionThreshold[] | undefined,
  fpir: number,
): Promise<OpenSetThreshold> {
  const { openSetThreshold } = await import('../gallery/open-set.ts');
  const people: StoredPerson[] = [];
  for await (const person of gallery.everybody()) people.push(person);
  return openSetThreshold(people, thresholds, fpir);
}

function openSetNote({ threshold, fpir, interval }: OpenSetThreshold, people: number): string {
  const from =
    interval === null
      ? `from the model's measured rates, since ${people} people are too few to measure`
      : `from this gallery's ${people} people; the rate lies between ${interval.map((end) => end.toPrecision(2)).join(' and ')} with a probability of 95 %`;
  return `Threshold ${threshold.toFixed(4)}, at which a share of ${fpir} of strangers is named: ${from}.`;
}

/** Caveats of the answers. */
function notes({ taken, people }: Deciding, { gallery, fmr }: Flags, model: string): string[] {
  if (people === 0) return [`The gallery ${gallery} has no people yet.`];
  if (taken === undefined)
    return [
      `${model} has no threshold, so only similarities are shown: measure one with \`magface calibrate --pairs\`.`,
    ];
  const threshold = Number(taken.threshold.toFixed(4));
  const hits = expectedFalseHits(taken.fmr, people);
  return [
    `Threshold ${threshold}, measured at a false match rate of ${rateTaken(taken.fmr, fmr)}, for one comparison.`,
    `Every face is compared with ${people === 1 ? '1 person' : `${people} people`}: expect about ${hits} false hits for each face of a stranger (${taken.fmr} x ${people}).`,
  ];
}
