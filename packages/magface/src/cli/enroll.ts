/** `magface enroll`: faces of one person into a gallery. */
import type { Command } from 'commander';
import type { Gallery } from '../gallery/gallery.ts';
import type { Context } from './context.ts';
import type { ExitCode } from './errors.ts';
import { galleryWords, openGallery } from './gallery.ts';
import { addInputFlags, addModelFlags, addOutputFlags, formatOf, inputWords } from './options.ts';
import { createRows } from './output.ts';
import { type RunFlags, runImages } from './run-images.ts';

interface Flags extends RunFlags {
  readonly gallery: string;
  readonly person: string;
}

/** One face that is kept. */
interface EnrolledRow {
  readonly image: string;
  readonly person: string;
  readonly face: number;
  readonly magnitude: number;
  readonly quality: number | null;
  readonly total: number;
}

const examples = `
Example:
  magface enroll --gallery people --person "Ann Lee" photos/ann/

The largest face of each image is taken. All of a person's faces count, each by
its magnitude: a poor one does little harm.`;

export function defineEnroll(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command
    .description('Add the faces of one person to a gallery, which is made when it is not there.')
    .argument('[input...]', inputWords)
    .optionsGroup('Gallery:')
    .requiredOption('--gallery <where>', galleryWords)
    .requiredOption('--person <name>', 'who the images show');
  addOutputFlags(addModelFlags(addInputFlags(command), { aligned: true })).addHelpText('after', examples);
  command.action(async (inputs: string[], flags: Flags) => done(await enroll(inputs, flags, context)));
}

async function enroll(inputs: readonly string[], flags: Flags, context: Context): Promise<ExitCode> {
  const rows = createRows<EnrolledRow>(context.stdout, {
    format: formatOf(flags),
    table: [
      { title: 'image', value: ({ image }) => image, layout: 'middle' },
      { title: 'person', value: ({ person }) => person, layout: 'middle' },
      { title: 'face', value: ({ face }) => face, layout: 'right' },
      { title: 'magnitude', value: ({ magnitude }) => magnitude.toFixed(2), layout: 'right' },
      { title: 'quality', value: ({ quality }) => quality ?? undefined, layout: 'right' },
      { title: 'total', value: ({ total }) => total, layout: 'right' },
    ],
  });
  let gallery: Gallery | undefined;
  const { person } = flags;
  try {
    const { failed } = await runImages(inputs, flags, {
      context,
      start: async ({ model }) => {
        gallery = await openGallery(flags.gallery, model, context);
      },
      outcome: async (outcome) => {
        if (!('faces' in outcome)) return;
        const { embedding, magnitude, quality = null } = outcome.faces[0]!;
        const { face, faces: total } = await gallery!.enrol(person, { embedding, quality });
        await rows.write({ image: outcome.file.name, person, face, magnitude, quality, total });
      },
    });
    return failed > 0 ? 1 : 0;
  } finally {
    if (gallery !== undefined) await rows.close();
    await gallery?.[Symbol.asyncDispose]();
  }
}
