/** A photo and its faces, as the page knows them. */
import type { AnalyzedFace } from 'magface/browser';

export interface Photo {
  /** From the file's content, so that a copy is known again. */
  readonly id: string;
  readonly file: File;
  /** Includes the folder if a folder was chosen. */
  readonly name: string;
  readonly state: 'waiting' | 'seen' | 'failed';
  /** A smaller copy; undefined if the browser cannot read the file. */
  readonly preview: Preview | undefined;
  /** Largest first; empty until the photo has been seen. */
  readonly faces: readonly PhotoFace[];
  /** Why the photo has no result. */
  readonly message?: string;
}

export interface Preview {
  readonly blob: Blob;
  /** Size of the whole photo in pixels, upright. */
  readonly width: number;
  readonly height: number;
}

export interface PhotoFace {
  /** Unique and lasting: the photo's id and the face's number. */
  readonly id: string;
  /** Number in its photo, from 1. */
  readonly number: number;
  /** Id of its photo. */
  readonly photo: string;
  /** Name of its photo. */
  readonly name: string;
  readonly face: AnalyzedFace;
}

/** @returns 32 hexadecimal digits that identify the file's content */
export async function photoId(file: Blob): Promise<string> {
  const bytes = await file.arrayBuffer();
  // Browsers offer no digests to pages served by plain http from another machine.
  if (crypto.subtle === undefined) return `${file.size.toString(16)}-${fingerprint(new Uint8Array(bytes))}`;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return Array.from(digest.subarray(0, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** FNV-1a, twice with different starts. */
function fingerprint(bytes: Uint8Array): string {
  let [a, b] = [0x811c9dc5, 0x01000193];
  for (const byte of bytes) {
    a = Math.imul(a ^ byte, 0x01000193);
    b = Math.imul(b ^ byte, 0x85ebca6b);
  }
  return [a, b].map((value) => (value >>> 0).toString(16)).join('');
}

export const facesOf = (photo: Pick<Photo, 'id' | 'name'>, faces: readonly AnalyzedFace[]): PhotoFace[] =>
  faces.map((face, i) => ({ id: `${photo.id}#${i + 1}`, number: i + 1, photo: photo.id, name: photo.name, face }));
