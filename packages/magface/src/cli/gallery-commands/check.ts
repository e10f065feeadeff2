/** `magface gallery check`. */
import type { Command } from 'commander';
import { ConfigError } from '../../errors.ts';
import type { ConfusingFace, GalleryCheck, PoorPerson } from '../../gallery/check-gallery.ts';
import type { StoredPerson } from '../../gallery/gallery-types.ts';
import type { Threshold } from '../../models/contract.ts';
import type { LoadedModel } from '../../models/load-model.ts';
import type { ConfigOf } from '../../settings/setting.ts';
import type { Context } from '../context.ts';
import type { ExitCode } from '../errors.ts';
import { expectGallery, galleryKey, gallerySettings, openGallery } from '../gallery.ts';
import { finderSettings, formatOf, offlineSettings, outputSettings } from '../options.ts';
import { printRecord } from '../output.ts';
import { downloadNotes } from '../run-images.ts';
import { addSettings } from '../setting-flags.ts';

const settings = {
  ...gallerySettings,
  model: finderSettings.model,
  ...offlineSettings,
  ...outputSettings,
} as const;

type CheckFlags = ConfigOf<typeof settings>;

const examples = `
Exit code 1 means that something was found. Correct it with \`gallery merge\`,
\`gallery forget --face\` or a better photo.`;

export function defineCheck(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command.description('Find people enrolled twice, photos that cause confusions, and people with one poor photo.');
  addSettings(command, settings).addHelpText('after', examples);
  command.action(async (flags: CheckFlags) => done(await check(flags, context)));
}

async function check(flags: CheckFlags, context: Context): Promise<ExitCode> {
  await expectGallery(flags.gallery);
  const key = await galleryKey(flags.galleryKey, context);
  const model = await loadRecogniser(flags, context);
  await using gallery = await openGallery(flags.gallery, model, { readOnly: true, key });
  const people: StoredPerson[] = [];
  for await (const person of gallery.everybody()) people.push(person);
  const found = await checked(people, model.contract.thresholds);
  await printRecord(context.stdout, { ...found }, { format: formatOf(flags), lines: lines(found) });
  return found.twins.length + found.confusing.length + found.poor.length > 0 ? 1 : 0;
}

/** Only the record is needed: nothing is embedded. */
async function loadRecogniser(
  flags: CheckFlags,
  context: Context,
): Promise<Pick<LoadedModel<'recogniser'>, 'name' | 'digest' | 'contract'>> {
  const { defaultModels } = await import('../../infer/node/magface.ts');
  const { name, digest, contract } = await context.services.loadModel(flags.model ?? defaultModels.recogniser, {
    cacheDir: context.env['MAGFACE_CACHE'],
    offline: flags.offline,
    signal: context.signal,
    onProgress: downloadNotes(flags, context),
  });
  if (contract.kind === 'recogniser') return { name, digest, contract };
  throw new ConfigError('model', {
    expected: 'a recogniser',
    problem: `${name} is none`,
    remedy: "pass the gallery's model",
  });
}

async function checked(
  people: readonly StoredPerson[],
  thresholds: readonly Threshold[] | undefined,
): Promise<GalleryCheck> {
  const { checkGallery } = await import('../../gallery/check-gallery.ts');
  return checkGallery(people, thresholds);
}

function lines({ people, faces, twins, confusing, poor }: GalleryCheck): string[] {
  const counted = `${people} people, ${faces} faces`;
  if (twins.length + confusing.length + poor.length === 0) return [`${counted}: nothing found.`];
  return [
    `${counted}: ${twins.length} pairs are probably one person, ${confusing.length} photos cause confusions, ${poor.length} people have one poor photo.`,
    ...twins.map(
      ({ people: [a, b], similarity }) => `${a} and ${b} are probably one person (similarity ${two(similarity)}).`,
    ),
    ...confusing.map(confusingLine),
    ...poor.map(poorLine),
  ];
}

const two = (value: number): string => value.toFixed(2);
const shown = ({ face, image }: { readonly face: number; readonly image: string | null }): string =>
  image === null ? `face ${face}` : `face ${face} (${image})`;

function confusingLine({ person, nearest, own, margin, ...face }: ConfusingFace): string {
  const gain = margin.without - margin.now;
  const gains =
    gain > 0
      ? `a better one gains at least ${two(gain)} of margin (${two(margin.now)} now)`
      : `leaving it out gains nothing (margin ${two(margin.now)} now, ${two(margin.without)} without)`;
  return `${person}, ${shown(face)} resembles ${nearest.person} more (${two(nearest.similarity)}) than ${person}'s other photos (${two(own)}): ${gains}.`;
}

function poorLine({ person, quality, gain, ...face }: PoorPerson): string {
  const gains = gain === null ? '' : `; an ordinary one would be about ${two(gain)} more similar to them`;
  return `${person} has one photo, of quality ${Math.round(quality)}: ${shown(face)}${gains}.`;
}
