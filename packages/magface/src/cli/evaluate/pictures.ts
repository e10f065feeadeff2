/** Pictures of the pairs that a report shows, as data addresses: a report is one file. */
import type { FaceSet } from '../../eval/face-set.ts';
import type { PairReport } from '../../eval/pair-report.ts';

/** Twice the size on the page, so that they are sharp on any screen. */
const side = 160;

/** @returns by the images' names; one that cannot be shown is left to its name */
export async function setPictures(
  { images }: Pick<FaceSet, 'images'>,
  reports: readonly PairReport[],
): Promise<Map<string, string>> {
  const { encodedPicture } = await import('../pictures.ts');
  const wanted = namesShown(reports);
  const pictures = new Map<string, string>();
  for (const image of images) {
    if (!wanted.has(image.name)) continue;
    const picture = await image
      .read()
      .then((bytes) => encodedPicture(bytes, side))
      .catch(() => undefined);
    if (picture !== undefined) pictures.set(image.name, picture);
  }
  return pictures;
}

/** The images of all example pairs. */
export function namesShown(reports: readonly PairReport[]): Set<string> {
  const pairs = reports
    .flatMap(({ hardest, easiest }) => [hardest, easiest])
    .flatMap(({ genuine, impostor }) => [...genuine, ...impostor]);
  return new Set(pairs.flatMap(({ left, right }) => [left, right]));
}
