/** `magface enroll`: adds faces to a gallery, of one person or of a folder per person. */
import type { Command } from 'commander';
import { asImageError, ConfigError } from '../errors.ts';
import type { AnalyzedFace } from '../face.ts';
import { expectConsistent } from '../gallery/enrolment-doubt.ts';
import { defaultMinQuality, enrollable, minQualityOf } from '../gallery/enrolment-gate.ts';
import type { Gallery } from '../gallery/gallery.ts';
import { nameFault } from '../gallery/person-name.ts';
import type { Threshold } from '../models/contract.ts';
import type { Calibration } from '../quality.ts';
import type { ConfigOf } from '../settings/setting.ts';
import { type Context, note } from './context.ts';
import { centralFirst, expectFolders, personOf } from './enroll-folders.ts';
import type { ExitCode } from './errors.ts';
import { expectGalleryRoom, galleryKey, gallerySettings, openGallery, period, protectSettings } from './gallery.ts';
import type { ImageFile } from './inputs.ts';
import { expectCalibration } from './min-quality.ts';
import { formatOf, inputSettings, inputWords, modelSettings, outputSettings } from './options.ts';
import { type Column, createRows, type RowWriter } from './output.ts';
import { printedRow, qualityInCsv, qualityInTable } from './quality-column.ts';
import { type FailImage, runImages } from './run-images.ts';
import { addSettings } from './setting-flags.ts';

const settings = {
  ...gallerySettings,
  ...protectSettings,
  person: {
    group: 'Gallery:',
    takes: 'text',
    value: '<name>',
    says: 'the person in the images',
    otherwise: 'the name of each folder in the input',
  },
  minQuality: {
    group: 'Gallery:',
    takes: 'amount',
    within: [0, 100],
    value: '<q>',
    says: 'reject faces of lower quality, 0 to 100',
    otherwise: `${defaultMinQuality}, or ${minQualityOf(undefined)} if the scale is not fitted to failures`,
  },
  largest: {
    group: 'Gallery:',
    takes: 'boolean',
    value: '',
    says: 'use the largest face of an image with several',
  },
  acceptDoubtful: {
    group: 'Gallery:',
    takes: 'boolean',
    value: '',
    says: 'accept faces that resemble another person, or not the person’s other ones',
  },
  consent: {
    group: 'Gallery:',
    takes: 'text',
    value: '<text>',
    says: 'record what the person agreed to, and how you know',
  },
  retain: {
    group: 'Gallery:',
    takes: 'text',
    parse: period,
    value: '<time>',
    says: 'delete the faces after this time: 90d, 12w or 2y',
    otherwise: 'keep them',
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
Examples:
  magface enroll --gallery people --person "Ann Lee" photos/ann/
  magface enroll --gallery people photos/      (a folder per person in it)
  magface enroll --gallery people --gallery-key key.txt --retain 1y photos/

Each rejected photo is listed with the reason: no face, several faces (unless
you pass --largest), a quality below --min-quality, a person who is already
enrolled under another name, or a face unlike the person's other ones. The last
two are accepted with --accept-doubtful. All faces of a person count, weighted
by magnitude. A picture that the person already has is not added again.`;

export function defineEnroll(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command
    .description('Add faces to a gallery, which is created if missing: of one person, or of a folder per person.')
    .argument('[input...]', inputWords);
  addSettings(command, settings).addHelpText('after', examples);
  command.action(async (inputs: string[], flags: Flags) => done(await enroll(inputs, flags, context)));
}

async function enroll(inputs: readonly string[], flags: Flags, context: Context): Promise<ExitCode> {
  if (flags.person === undefined) await expectFolders(inputs, flags.list);
  else expectName(flags.person);
  await expectGalleryRoom(flags.gallery);
  const key = await galleryKey(flags.galleryKey, context);
  const rows = createRows<EnrolledRow>(context.stdout, {
    format: formatOf(flags),
    table,
    csv: table.map((column) => (column === qualityInTable ? qualityInCsv : column)),
    json: printedRow,
  });
  let enrolling: Enrolling | undefined;
  try {
    const { failed } = await runImages(inputs, flags, {
      context,
      start: async ({ model }) => {
        expectCalibration(model, flags.minQuality);
        const gallery = await openGallery(flags.gallery, model, { key, protection: flags.protect });
        enrolling = new Enrolling({
          gallery,
          rows,
          flags,
          context,
          thresholds: model.contract.thresholds,
          calibration: model.contract.calibration,
        });
      },
      outcome: async (outcome, fail) => {
        if (!('faces' in outcome)) return;
        const { file } = outcome;
        const face = enrolling!.chosen(file, outcome.faces);
        if (flags.person !== undefined) await enrolling!.enrol(flags.person, { file, face });
        else await enrolling!.collect(personOf(file, inputs), { file, face }, fail);
      },
      end: async (fail) => enrolling?.enrolCollected(fail),
    });
    return failed > 0 ? 1 : 0;
  } finally {
    if (enrolling !== undefined) await rows.close();
    await enrolling?.gallery[Symbol.asyncDispose]();
  }
}

function expectName(name: string): void {
  const fault = nameFault(name);
  if (fault !== undefined)
    throw new ConfigError('person', { expected: 'a name for --person', problem: fault, remedy: 'pass another name' });
}

interface Parts {
  readonly gallery: Gallery;
  readonly rows: RowWriter<EnrolledRow>;
  readonly flags: Flags;
  readonly context: Context;
  readonly thresholds: readonly Threshold[] | undefined;
  /** The scale, which determines the least quality. */
  readonly calibration: Calibration | undefined;
}

/** A face that passed the gate's first part, and its image. */
interface ChosenFace {
  readonly file: ImageFile;
  readonly face: AnalyzedFace;
}

/** Enrols face by face, or a person's faces together once all are known. */
class Enrolling {
  readonly gallery: Gallery;
  readonly #parts: Parts;
  readonly #expires: Date | undefined;
  #collected: { readonly person: string; readonly faces: ChosenFace[] } | undefined;

  constructor(parts: Parts) {
    this.gallery = parts.gallery;
    this.#parts = parts;
    const { retain } = parts.flags;
    this.#expires = retain === undefined ? undefined : new Date(Date.now() + retain);
  }

  /** @throws {ImageError} if none can be enrolled */
  chosen({ name: image }: ImageFile, faces: readonly AnalyzedFace[]): AnalyzedFace {
    const { minQuality, largest } = this.#parts.flags;
    return enrollable(faces, {
      image,
      minQuality,
      calibration: this.#parts.calibration,
      largest,
      flags: { minQuality: '--min-quality', largest: '--largest' },
    });
  }

  /** Images come folder by folder. */
  async collect(person: string, face: ChosenFace, fail: FailImage): Promise<void> {
    if (this.#collected?.person !== person) {
      await this.enrolCollected(fail);
      this.#collected = { person, faces: [] };
    }
    this.#collected.faces.push(face);
  }

  /** The most typical faces come first, so that one of somebody else is compared with several. */
  async enrolCollected(fail: FailImage): Promise<void> {
    if (this.#collected === undefined) return;
    const { person, faces } = this.#collected;
    this.#collected = undefined;
    for (const one of centralFirst(faces))
      await this.enrol(person, one).catch((error: unknown) => fail(asImageError(error), one.file));
  }

  async enrol(person: string, { file: { name: image }, face: found }: ChosenFace): Promise<void> {
    const { gallery, rows, context, thresholds } = this.#parts;
    const { quiet, acceptDoubtful, consent } = this.#parts.flags;
    const { embedding, magnitude, quality = null } = found;
    if (acceptDoubtful !== true)
      await expectConsistent(gallery, { person, embedding, image, thresholds, flag: '--accept-doubtful' });
    const recorded = { image, expires: this.#expires, consent };
    const { face, faces: total, known } = await gallery.enrol(person, { embedding, quality }, recorded);
    if (known && quiet !== true)
      note(context, `${image} is not added again, because ${person} already has this picture as face ${face}.`);
    await rows.write({ image, person, face, magnitude, quality, total, known });
  }
}
