/** `magface enroll`: adds a person's faces to a gallery. */
import type { Command } from 'commander';
import { ConfigError } from '../errors.ts';
import { defaultMinQuality, enrollable } from '../gallery/enrolment-gate.ts';
import type { Gallery, GalleryMatch } from '../gallery/gallery.ts';
import { nameFault } from '../gallery/person-name.ts';
import type { ConfigOf } from '../settings/setting.ts';
import { type Context, note } from './context.ts';
import type { ExitCode } from './errors.ts';
import { expectGalleryRoom, gallerySettings, openGallery } from './gallery.ts';
import { expectCalibration } from './min-quality.ts';
import { formatOf, inputSettings, inputWords, modelSettings, outputSettings } from './options.ts';
import { type Column, createRows } from './output.ts';
import { printedRow, qualityInCsv, qualityInTable } from './quality-column.ts';
import { runImages } from './run-images.ts';
import { addSettings } from './setting-flags.ts';

const settings = {
  ...gallerySettings,
  person: { group: 'Gallery:', takes: 'text', value: '<name>', says: 'the person in the images', required: true },
  minQuality: {
    group: 'Gallery:',
    takes: 'amount',
    within: [0, 100],
    value: '<q>',
    says: 'reject faces of lower quality, 0 to 100',
    otherwise: String(defaultMinQuality),
  },
  largest: {
    group: 'Gallery:',
    takes: 'boolean',
    value: '',
    says: 'use the largest face of an image with several',
  },
  ...inputSettings,
  ...modelSettings,
  ...outputSettings,
} as const;

type Flags = ConfigOf<typeof settings>;

/** One enrolled face. */
interface EnrolledRow {
  readonly image: string;
  readonly person: string;
  readonly face: number;
  readonly magnitude: number;
  /** Not rounded. */
  readonly quality: number | null;
  /** Faces of the person so far. */
  readonly total: number;
  /** Whether the person already had this picture, by that number: nothing was added. */
  readonly known: boolean;
}

const table: readonly Column<EnrolledRow>[] = [
  { title: 'image', value: ({ image }) => image, layout: 'middle' },
  { title: 'person', value: ({ person }) => person, layout: 'middle' },
  { title: 'face', value: ({ face }) => face, layout: 'right' },
  { title: 'magnitude', value: ({ magnitude }) => magnitude.toFixed(2), layout: 'right' },
  qualityInTable,
  { title: 'total', value: ({ total }) => total, layout: 'right' },
];

const examples = `
Example:
  magface enroll --gallery people --person "Ann Lee" photos/ann/

An image must show one face, unless you pass --largest. All faces of a person
count, weighted by magnitude. A face below --min-quality is rejected, and an
image that the person already has is not added again.`;

export function defineEnroll(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command
    .description('Add one person’s faces to a gallery, which is created if missing.')
    .argument('[input...]', inputWords);
  addSettings(command, settings).addHelpText('after', examples);
  command.action(async (inputs: string[], flags: Flags) => done(await enroll(inputs, flags, context)));
}

async function enroll(inputs: readonly string[], flags: Flags, context: Context): Promise<ExitCode> {
  const fault = nameFault(flags.person);
  if (fault !== undefined)
    throw new ConfigError('person', `Expected a name for --person but ${fault}: pass another name.`);
  await expectGalleryRoom(flags.gallery);
  const rows = createRows<EnrolledRow>(context.stdout, {
    format: formatOf(flags),
    table,
    csv: table.map((column) => (column === qualityInTable ? qualityInCsv : column)),
    json: printedRow,
  });
  let gallery: Gallery | undefined;
  let strictest: number | undefined;
  const { person, minQuality, largest } = flags;
  const gate = { minQuality, largest, flags: { minQuality: '--min-quality', largest: '--largest' } };
  try {
    const { failed } = await runImages(inputs, flags, {
      context,
      start: async ({ model }) => {
        expectCalibration(model, minQuality);
        strictest = model.contract.thresholds?.toSorted((a, b) => a.fmr - b.fmr)[0]?.threshold;
        gallery = await openGallery(flags.gallery, model);
      },
      outcome: async (outcome) => {
        if (!('faces' in outcome)) return;
        const image = outcome.file.name;
        const { embedding, magnitude, quality = null } = enrollable(outcome.faces, { ...gate, image });
        const twin = await twinOf(gallery!, { person, embedding, threshold: strictest });
        if (twin !== undefined && flags.quiet !== true)
          note(
            context,
            `${image} also resembles ${twin.person} (similarity ${twin.similarity.toFixed(4)}): check who it shows.`,
          );
        const { face, faces: total, known } = await gallery!.enrol(person, { embedding, quality });
        if (known && flags.quiet !== true)
          note(context, `${image} is not added again, because ${person} already has this picture as face ${face}.`);
        await rows.write({ image, person, face, magnitude, quality, total, known });
      },
    });
    return failed > 0 ? 1 : 0;
  } finally {
    if (gallery !== undefined) await rows.close();
    await gallery?.[Symbol.asyncDispose]();
  }
}

interface Twinning {
  readonly person: string;
  readonly embedding: Float32Array;
  /** At the model's strictest rate, since everybody is compared; undefined without thresholds. */
  readonly threshold: number | undefined;
}

/** @returns another person so similar to the face that one of the two names is probably wrong */
async function twinOf(
  gallery: Gallery,
  { person, embedding, threshold = 1 }: Twinning,
): Promise<GalleryMatch | undefined> {
  const matches = await gallery.search(embedding, { limit: 2 });
  return matches.find((match) => match.person !== person && match.similarity >= threshold);
}
