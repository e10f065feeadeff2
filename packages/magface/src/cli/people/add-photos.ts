/** Embeds the photos that a library does not know yet. */
import { readFile, stat } from 'node:fs/promises';
import { similarityAt } from '../../false-match-rate.ts';
import { sha256 } from '../../format/digest.ts';
import { floatText } from '../../format/float-text.ts';
import type { Library, LibraryPhoto } from '../../people/node/library.ts';
import type { Context } from '../context.ts';
import type { ImageFile } from '../inputs.ts';
import { type ImageOutcome, type RunFlags, runImages } from '../run-images.ts';

type FileSign = Pick<LibraryPhoto, 'digest' | 'path' | 'bytes' | 'changed'>;

/** @returns the number of photos that failed; one without faces is a photo like others */
export async function addPhotos(
  library: Library,
  words: readonly string[],
  flags: RunFlags,
  context: Context,
): Promise<number> {
  const signs = new Map<string, FileSign>(); // of new files, by path
  const { failed } = await runImages(words, flags, {
    context,
    mayLackFaces: true,
    choose: (files) => newPhotos(library, files, signs),
    start: ({ model: { name, digest, contract } }) => {
      const { likelihood } = contract;
      const thresholds = (contract.thresholds ?? []).map(({ set: _, ...measured }) => measured);
      similarityAt(1, thresholds); // throws without thresholds, before hours of embedding
      return library.use({ name, digest, thresholds, ...(likelihood && { likelihood }) });
    },
    outcome: async (outcome) => {
      const sign = signs.get(outcome.file.path);
      if (sign !== undefined && isSeen(outcome)) await library.add({ ...sign, faces: facesOf(outcome) });
    },
  });
  return failed;
}

/** Unreadable photos are tried again in every run. */
const isSeen = (outcome: ImageOutcome): boolean => 'faces' in outcome || outcome.error.code === 'no_face';

function facesOf(outcome: ImageOutcome): LibraryPhoto['faces'] {
  if ('error' in outcome) return [];
  return outcome.faces.map(({ box, quality = null, embedding }) => ({ box, quality, embedding: floatText(embedding) }));
}

/** A file of the same place, size and time is known without being read; one that moved is known by its digest. */
async function newPhotos(
  library: Library,
  files: readonly ImageFile[],
  signs: Map<string, FileSign>,
): Promise<ImageFile[]> {
  const byPath = new Map([...library.photos.values()].map((photo) => [photo.path, photo]));
  const digests = new Set<string>();
  const fresh: ImageFile[] = [];
  for (const file of files) {
    const { path, error } = file;
    const found = error === undefined ? await stat(path).catch(() => undefined) : undefined;
    if (found === undefined || !found.isFile()) {
      fresh.push(file); // fails in its turn
      continue;
    }
    const [bytes, changed] = [found.size, found.mtimeMs];
    const known = byPath.get(path);
    if (known?.bytes === bytes && known.changed === changed) continue;
    const digest = sha256(await readFile(path));
    if (digests.has(digest)) continue; // a copy among these files
    digests.add(digest);
    const same = library.photos.get(digest);
    if (same !== undefined) await library.add({ ...same, path, bytes, changed });
    else {
      signs.set(path, { digest, path, bytes, changed });
      fresh.push(file);
    }
  }
  return fresh;
}
