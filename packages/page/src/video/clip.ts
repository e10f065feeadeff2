/** The clip being looked at and the people found in it. One clip at a time; nothing of it is stored. */
import { signal } from '@preact/signals';
import { type AnalyzedFace, analyzeVideo, type VideoPerson } from 'magface/browser';
import { openLibrary } from '../library.ts';
import { jpegOf } from '../shared/pictures.ts';

/** A best shot as a file. */
export interface ClipShot {
  /** Seconds from the start of the clip. */
  readonly time: number;
  readonly face: AnalyzedFace;
  readonly picture: Blob;
}

export interface ClipPerson extends Pick<VideoPerson, 'seen' | 'frames'> {
  readonly best: readonly ClipShot[];
}

export type ClipState =
  | { readonly kind: 'none' }
  | { readonly kind: 'looking'; readonly name: string; readonly time: number; readonly duration: number }
  | {
      readonly kind: 'found';
      readonly name: string;
      readonly duration: number;
      readonly people: readonly ClipPerson[];
    }
  | { readonly kind: 'failed'; readonly name: string; readonly message: string };

export const clip = signal<ClipState>({ kind: 'none' });

/** Shots per person. */
const shotsEach = 3;

let last: AbortController | undefined;

/** Looks at a clip from its start; ends looking at another. */
export async function lookAt(file: File): Promise<void> {
  forgetClip();
  last = new AbortController();
  const { signal } = last;
  const { name } = file;
  clip.value = { kind: 'looking', name, time: 0, duration: 0 };
  try {
    const magface = await openLibrary();
    let length = 0;
    const onFrame = (time: number, duration: number): void => {
      length = duration;
      if (!signal.aborted) clip.value = { kind: 'looking', name, time, duration };
    };
    const found = await analyzeVideo(file, magface, { best: shotsEach, signal, onFrame });
    const people = await Promise.all(found.map(shown));
    if (!signal.aborted) clip.value = { kind: 'found', name, duration: length, people };
  } catch (error) {
    if (signal.aborted) return; // another clip, or none
    clip.value = { kind: 'failed', name, message: error instanceof Error ? error.message : String(error) };
  }
}

/** Ends looking and forgets what was found. */
export function forgetClip(): void {
  last?.abort();
  clip.value = { kind: 'none' };
}

async function shown({ seen, frames, best }: VideoPerson): Promise<ClipPerson> {
  const shots = best.map(async ({ time, face, picture }) => ({ time, face, picture: await jpegOf(picture) }));
  return { seen, frames, best: await Promise.all(shots) };
}
