/** `evaluate set` on a set whose protocol is identification: TinyFace. */
import { ConfigError } from '../../errors.ts';
import type { Identification } from '../../eval/identification.ts';
import { identifySet } from '../../eval/identify-set.ts';
import { type IdentificationSet, openTinyFace } from '../../eval/layouts/tinyface.ts';
import { inPercent } from '../../report/page.ts';
import { type Context, note } from '../context.ts';
import { formatOf } from '../options.ts';
import { printRecord } from '../output.ts';
import { type EmbedSetFlags, embedFaces } from './embed.ts';
import { modelName } from './options.ts';

interface Flags extends EmbedSetFlags {
  readonly images?: string | undefined;
}

/** Flags that only pairs have. */
const ofPairs = ['pairs', 'protocol', 'methods', 'reliability', 'report'] as const;

/** JSON of the command. */
interface IdentificationRecord extends Identification {
  readonly set: string;
  readonly model: string;
  readonly images: number;
  readonly distractors: number;
}

/** @param folder - as `tinyFaceFolder` found it */
export async function evaluateIdentification(
  folder: string,
  flags: Flags & Partial<Record<(typeof ofPairs)[number], unknown>>,
  context: Context,
): Promise<void> {
  const given = ofPairs.find((name) => flags[name] !== undefined);
  if (given !== undefined) {
    throw new ConfigError(given, {
      expected: `no --${given} with TinyFace, because it identifies probes and compares no pairs`,
      remedy: 'leave it out',
    });
  }
  const set = await openTinyFace(folder, flags.images);
  const { model, images } = await embedFaces(set, flags, context);
  if (flags.quiet !== true) for (const line of set.notes) note(context, line);
  const { tpirAtFpir: _, ...found } = await identifySet(set, images, {
    ...(flags.threads !== undefined && { threads: flags.threads }),
  });
  const record = {
    set: set.name,
    model: modelName(flags.model ?? model.name),
    images: set.images.length,
    distractors: set.distractors,
    ...found,
  };
  const rows = Object.entries(found.cmc).map(([rank, value]) => ({ ...record, rank: Number(rank), value }));
  const columns = (['set', 'model', 'rank', 'value'] as const).map((key) => ({
    title: { set: 'set', model: 'model', rank: 'rank [place]', value: 'cmc [fraction]' }[key],
    value: (row: (typeof rows)[number]) => row[key],
  }));
  await printRecord(context.stdout, record, {
    format: formatOf(flags),
    lines: linesOf(set, record),
    csv: { rows, columns },
  });
}

function linesOf(
  set: IdentificationSet,
  { model, cmc, matedProbes, images }: Omit<IdentificationRecord, 'tpirAtFpir'>,
): string[] {
  const enrolled = set.gallery.length - set.distractors;
  return [
    `${set.name}, ${model}`,
    `Identification ${matedProbes} probes of ${images} images among ${enrolled} gallery images`,
    `               and ${set.distractors} distractors`,
    ...Object.entries(cmc).map(([rank, share]) => `Rank ${rank.padEnd(9)} ${inPercent(share)}`),
  ];
}
