/** Gathers the pictures of `data check`'s page and writes it. */
import { writeFile } from 'node:fs/promises';
import type { SetImage } from '../../eval/face-set.ts';
import type { CheckRecord } from './check-record.ts';

/** Pictures make a page large: about 4 kB each. */
const shownAtMost = 200;

/** @param images - of all sets, by index */
export async function writeCheckReport(
  file: string,
  { record, images }: { readonly record: CheckRecord; readonly images: readonly SetImage[] },
): Promise<void> {
  const { dataCheckPage } = await import('../../report/data-check-page.ts');
  const { encodedPicture } = await import('../pictures.ts');
  const pictures = new Map<number, string>();
  const wanted = [
    ...record.duplicates.slice(0, shownAtMost).flatMap(({ images: pair }) => pair.map(({ index }) => index)),
    ...record.mislabelled.slice(0, shownAtMost).flatMap(({ index, resembles }) => [index, resembles.index]),
    ...record.outliers.slice(0, shownAtMost).map(({ index }) => index),
    ...record.samePeople.slice(0, shownAtMost).flatMap(({ people }) => people.map(({ index }) => index)),
  ];
  // A picture that cannot be read leaves a gap.
  for (const index of new Set(wanted))
    pictures.set(
      index,
      await images[index]!.read()
        .then((bytes) => encodedPicture(bytes, 112))
        .catch(() => ''),
    );
  await writeFile(file, dataCheckPage(record, { picture: (index) => pictures.get(index) ?? '', shownAtMost }));
}
