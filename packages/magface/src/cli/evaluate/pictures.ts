/** Pictures of a report's pairs as data URLs, since a report is one file. */
import type { FaceSet } from '../../eval/face-set.ts';
import type { PairReport } from '../../eval/pair-report.ts';

/** Twice the size on the page, so that they are sharp on any screen. */
const side = 160;

/** @returns pictures by image name, without unreadable ones */
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

/** Images of all example pairs. */
export function namesShown(reports: readonly PairReport[]): Set<string> {
  const pairs = reports
    .flatMap(({ hardest, easiest }) => [hardest, easiest])
    .flatMap(({ genuine, impostor }) => [...genuine, ...impostor]);
  return new Set(pairs.flatMap(({ left, right }) => [left, right]));
}
