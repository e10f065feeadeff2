/** InsightFace's `.bin` as a face set: images 2k and 2k + 1 are pair k; an image in several pairs counts once. */
import { basename, extname } from 'node:path';
import { sha256 } from '../format/digest.ts';
import { openVerificationBin } from '../format/verification-bin.ts';
import { type FaceSet, type SetImage, setName } from './face-set.ts';

/** @throws {FormatError} if the file is not such a pickle */
export async function openBinSet(file: string): Promise<FaceSet> {
  const bin = await openVerificationBin(file);
  try {
    const images: SetImage[] = [];
    const rows = new Map<string, number>();
    const stem = basename(file, extname(file));
    const row = async (index: number): Promise<number> => {
      const digest = sha256(await bin.readImage(index));
      const known = rows.get(digest);
      if (known !== undefined) return known;
      rows.set(digest, images.length);
      return images.push({ name: `${stem}#${index}`, digest, read: () => bin.readImage(index) }) - 1;
    };
    const same = Uint8Array.from(bin.same, Number);
    const [left, right] = [new Uint32Array(same.length), new Uint32Array(same.length)];
    for (let pair = 0; pair < same.length; pair++) {
      left[pair] = await row(2 * pair);
      right[pair] = await row(2 * pair + 1);
    }
    const pairs = { left, right, same };
    const views = setName(stem) === 'CFP-FP' ? sideViews(pairs, images.length) : undefined;
    const name = setName(stem);
    return { name, images, pairs, columns: {}, notes: [], close: bin.close, ...(views && { views }) };
  } catch (error) {
    await bin.close();
    throw error;
  }
}

/** CFP-FP pairs a frontal face with a profile. @returns undefined if an image is on both sides */
function sideViews({ left, right }: FaceSet['pairs'], images: number): string[] | undefined {
  const frontal = new Set(left);
  if (right.some((row) => frontal.has(row))) return undefined;
  return Array.from({ length: images }, (_, row) => (frontal.has(row) ? 'frontal' : 'profile'));
}
