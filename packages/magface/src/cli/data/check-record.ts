/** The findings of `data check` with names instead of indices: the JSON, and its text for people. */
import { basename } from 'node:path';
import type { CheckedPerson, DataCheck } from '../../eval/data/check-data.ts';
import type { CleanedImage, CleaningReason } from '../../eval/data/clean-data.ts';
import { type Calibration, printedQuality, qualityScore } from '../../quality.ts';
import { counted } from '../../report/page.ts';
import { shortenMiddle } from '../output.ts';

/** An image by name. */
export interface NamedImage {
  readonly image: string;
  /** Index of the image, in the order of the sets. */
  readonly index: number;
  readonly set: string;
  readonly label: number;
  readonly quality: number | null;
}

/** A label, and its best image. */
export interface NamedPerson {
  readonly set: string;
  readonly label: number;
  readonly image: string;
  readonly index: number;
}

/** JSON of `data check`. Similarities are cosines. */
export interface CheckRecord {
  readonly model: string;
  readonly sets: DataCheck['sets'];
  readonly unusable: readonly (NamedImage & { readonly reason: string })[];
  readonly duplicates: readonly {
    readonly images: readonly [NamedImage, NamedImage];
    readonly exact: boolean;
    readonly correlation: number;
    /** One of the two is in a set to test on. */
    readonly withTest: boolean;
  }[];
  readonly mislabelled: readonly (NamedImage & {
    readonly ownSimilarity: number | null;
    readonly resembles: NamedPerson;
    readonly similarity: number;
    /** The image whose label was probably swapped with this one's. */
    readonly swappedWith: string | null;
  })[];
  readonly outliers: readonly (NamedImage & { readonly ownSimilarity: number; readonly undecided: boolean })[];
  readonly samePeople: readonly {
    readonly people: readonly [NamedPerson, NamedPerson];
    readonly similarity: number;
    readonly withTest: boolean;
  }[];
  /** What `--write` keeps. */
  readonly cleaned: {
    readonly images: number;
    readonly people: number;
    readonly changed: Partial<Record<CleaningReason, number>>;
  };
}

interface RecordOptions {
  readonly model: string;
  readonly calibration: Calibration | undefined;
}

export function checkRecord(
  check: DataCheck,
  cleaned: readonly CleanedImage[],
  { model, calibration }: RecordOptions,
): CheckRecord {
  const setName = (set: number): string => check.sets[set]!.name;
  const digits = (value: number): number => Number(value.toFixed(4));
  const image = (index: number): NamedImage => {
    const { name, set, person, magnitude } = check.images[index]!;
    const score = calibration && magnitude > 0 ? qualityScore(magnitude, calibration) : null;
    return {
      ...{ image: name, index, set: setName(set), label: check.people[person]!.label },
      quality: printedQuality(score),
    };
  };
  const person = (index: number): NamedPerson => {
    const { set, label, best }: CheckedPerson = check.people[index]!;
    return { set: setName(set), label, image: check.images[best]!.name, index: best };
  };
  const isTest = (set: number): boolean => check.sets[set]!.isTest;
  const labels = cleaned.flatMap(({ label }) => (label === null ? [] : [label]));
  const changed: Partial<Record<CleaningReason, number>> = {};
  for (const { reason } of cleaned) if (reason !== undefined) changed[reason] = (changed[reason] ?? 0) + 1;
  return {
    model,
    sets: check.sets,
    unusable: check.unusable.map(({ image: index, reason }) => ({ ...image(index), reason })),
    duplicates: check.duplicates.map(({ faces: [a, b], exact, correlation }) => ({
      images: [image(a), image(b)],
      ...{ exact, correlation: digits(correlation) },
      withTest: [a, b].some((face) => isTest(check.images[face]!.set)),
    })),
    mislabelled: check.mislabelled.map(({ face, own, person: other, similarity, swappedWith }) => ({
      ...image(face),
      ownSimilarity: own === null ? null : digits(own),
      resembles: person(other),
      similarity: digits(similarity),
      swappedWith: swappedWith === undefined ? null : check.images[swappedWith]!.name,
    })),
    outliers: check.outliers.map(({ face, own, undecided }) => ({
      ...image(face),
      ...{ ownSimilarity: digits(own), undecided },
    })),
    samePeople: check.samePeople.map(({ people: [a, b], similarity }) => ({
      people: [person(a), person(b)],
      similarity: digits(similarity),
      withTest: [a, b].some((one) => isTest(check.people[one]!.set)),
    })),
    cleaned: { images: labels.length, people: new Set(labels).size, changed },
  };
}

const shownAtMost = 5;

/** @param columns - of the terminal */
export function checkLines(record: CheckRecord, columns = 80): string[] {
  const { sets, unusable, duplicates, mislabelled, outliers, samePeople, cleaned } = record;
  const inTest = samePeople.filter(({ withTest }) => withTest);
  const twice = samePeople.filter(({ withTest }) => !withTest);
  const width = Math.max(60, Math.min(columns, 120));
  const part = <T>(title: string, found: readonly T[], line: (one: T) => readonly [string, ...string[]]): string[] => [
    '',
    `${title}: ${found.length.toLocaleString('en')}`,
    ...found.slice(0, shownAtMost).map((one) => {
      const [words, ...names] = line(one);
      const room = Math.floor((width - 4 - words.length - 2 * names.length) / names.length);
      return `  ${words}  ${names.map((name) => shortenMiddle(name, room)).join('  ')}`;
    }),
    ...(found.length > shownAtMost ? [`  ... and ${found.length - shownAtMost} more (--report, --json)`] : []),
  ];
  const two = (value: number): string => value.toFixed(2);
  const swaps = mislabelled.filter(({ swappedWith }) => swappedWith !== null).length / 2;
  const left = Object.entries(cleaned.changed).map(([reason, count]) => `${count} ${reason.replaceAll('_', ' ')}`);
  return [
    ...sets.map((set) => setLine(set)),
    ...part('Images without a face, or unreadable', unusable, ({ image, reason }) => [
      shortenMiddle(reason, 40),
      image,
    ]),
    ...part('The same photo twice', duplicates, ({ images: [a, b], exact, withTest }) => [
      `${exact ? 'equal file' : 'near copy '}${withTest ? ', in a test set' : ''}`,
      a.image,
      b.image,
    ]),
    ...part(
      `Probably mislabelled (own, other cosine)${swaps > 0 ? `, ${counted(swaps, 'swap')} among them` : ''}`,
      mislabelled,
      ({ ownSimilarity, similarity, image, resembles }) => [
        `${ownSimilarity === null ? '   -' : two(ownSimilarity)} ${two(similarity)}`,
        image,
        resembles.image,
      ],
    ),
    ...part('Unlike their label (cosine, quality)', outliers, ({ ownSimilarity, quality, image }) => [
      `${two(ownSimilarity)} ${quality === null ? ' -' : String(Math.round(quality)).padStart(2)}`,
      image,
    ]),
    ...part('One person, two labels (cosine)', twice, ({ similarity, people: [a, b] }) => [
      two(similarity),
      a.image,
      b.image,
    ]),
    ...(sets.some(({ isTest }) => isTest)
      ? part('People who are in a test set too (cosine)', inTest, ({ similarity, people: [a, b] }) => [
          two(similarity),
          a.image,
          b.image,
        ])
      : []),
    '',
    `--write keeps ${counted(cleaned.images, 'image')} of ${cleaned.people.toLocaleString('en')} people${left.length === 0 ? '' : ` (${left.join(', ')})`}.`,
  ];
}

function setLine({ name, isTest, statistics }: CheckRecord['sets'][number]): string {
  const { images, people, imagesPerPerson, quality } = statistics;
  const { least, median, most } = imagesPerPerson;
  const each = least === most ? `${least}` : `${least} to ${most} (median ${median})`;
  const scores = quality === null ? '' : `, quality ${Math.round(quality.median)}`;
  return `${basename(name)}${isTest ? ' (test)' : ''}: ${counted(images, 'image')} of ${people.toLocaleString('en')} people, ${each} each${scores}`;
}
