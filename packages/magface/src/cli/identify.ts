/** `magface identify`: whom the faces of images resemble most in a gallery. */
import type { Command } from 'commander';
import { decide } from '../decision.ts';
import type { Gallery } from '../gallery/gallery.ts';
import { type Context, note, type Recogniser } from './context.ts';
import type { ExitCode } from './errors.ts';
import { expectGallery, galleryWords, openGallery } from './gallery.ts';
import { addInputFlags, addModelFlags, addOutputFlags, count, formatOf, inputWords, share } from './options.ts';
import { createRows } from './output.ts';
import { type RunFlags, runImages } from './run-images.ts';

interface Flags extends RunFlags {
  readonly gallery: string;
  readonly best: number;
  readonly fmr: number;
}

/** One face and one person that it resembles; no person where the gallery is empty. */
interface MatchRow {
  readonly image: string;
  /** From 0, the largest first. */
  readonly face: number;
  readonly quality: number | null;
  readonly person: string | null;
  readonly similarity: number | null;
  /** Null when the model has no threshold. */
  readonly same: boolean | null;
}

const examples = `
Example:
  magface identify --gallery people group.jpg --best 3`;

export function defineIdentify(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command
    .description('Tell whom each face resembles most among the people of a gallery.')
    .argument('[input...]', inputWords)
    .optionsGroup('Gallery:')
    .requiredOption('--gallery <where>', galleryWords)
    .option('--best <n>', 'so many people a face', count, 1)
    .option('--fmr <rate>', 'false match rate to decide at, of those the model has', share, 0.001);
  addOutputFlags(addModelFlags(addInputFlags(command), { aligned: true })).addHelpText('after', examples);
  command.action(async (inputs: string[], flags: Flags) => done(await identify(inputs, flags, context)));
}

async function identify(inputs: readonly string[], flags: Flags, context: Context): Promise<ExitCode> {
  await expectGallery(flags.gallery, context);
  const rows = createRows<MatchRow>(context.stdout, {
    format: formatOf(flags),
    table: [
      { title: 'image', value: ({ image }) => image, layout: 'middle' },
      { title: 'face', value: ({ face }) => face, layout: 'right' },
      { title: 'quality', value: ({ quality }) => quality ?? undefined, layout: 'right' },
      { title: 'person', value: ({ person }) => person ?? undefined, layout: 'middle' },
      { title: 'similarity', value: ({ similarity }) => similarity?.toFixed(4), layout: 'right' },
      { title: 'same', value: ({ same }) => (same === null ? undefined : same ? 'yes' : 'no') },
    ],
  });
  let gallery: Gallery | undefined;
  let thresholds: Recogniser['model']['contract']['thresholds'];
  try {
    const { failed } = await runImages(inputs, flags, {
      context,
      start: async ({ model }) => {
        gallery = await openGallery(flags.gallery, model, { ...context, create: false });
        const { people } = await gallery.count();
        if (people === 0 && flags.quiet !== true) note(context, `Nobody is enrolled in ${flags.gallery} yet.`);
        thresholds = model.contract.thresholds;
      },
      outcome: async (outcome) => {
        if (!('faces' in outcome)) return;
        for (const [face, { embedding, quality = null }] of outcome.faces.entries()) {
          const found = await gallery!.search(embedding, { limit: flags.best });
          const about = { image: outcome.file.name, face, quality };
          if (found.length === 0) await rows.write({ ...about, person: null, similarity: null, same: null });
          for (const { person, similarity } of found)
            await rows.write({ ...about, person, similarity, same: decide(similarity, thresholds, flags.fmr).same });
        }
      },
    });
    return failed > 0 ? 1 : 0;
  } finally {
    if (gallery !== undefined) await rows.close();
    await gallery?.[Symbol.asyncDispose]();
  }
}
