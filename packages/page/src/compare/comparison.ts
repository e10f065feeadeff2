/** Two pictures, a face in each, and the meaning of their similarity. */
import { computed, signal } from '@preact/signals';
import { type AnalyzedFace, compare } from 'magface/browser';
import { library, openLibrary } from '../library.ts';
import { texts } from '../texts.ts';

export type Side = 0 | 1;

export interface Picture {
  readonly name: string;
  readonly kind: 'looking' | 'seen' | 'failed';
  readonly faces: readonly AnalyzedFace[];
  readonly chosen: number;
  readonly message?: string;
}

export const pictures = [signal<Picture | undefined>(undefined), signal<Picture | undefined>(undefined)] as const;
/** Accepted false match rate, one of the model's; by default that of the commands and the service. */
export const rate = signal(0.001);

export const thresholds = computed(() => {
  const measured = library.value.kind === 'ready' ? (library.value.magface.model.contract.thresholds ?? []) : [];
  return measured.toSorted((a, b) => a.fmr - b.fmr);
});

export const chosenThreshold = computed(
  () => thresholds.value.find(({ fmr }) => fmr === rate.value) ?? thresholds.value[0],
);

export const chosenFaces = computed(() => pictures.map(({ value }) => value?.faces[value.chosen]));

export const comparison = computed(() => {
  const [a, b] = chosenFaces.value;
  if (a === undefined || b === undefined) return undefined;
  const similarity = compare(a.embedding, b.embedding);
  const threshold = chosenThreshold.value;
  return { similarity, threshold, same: threshold && similarity >= threshold.threshold };
});

export async function setPicture(side: Side, file: File): Promise<void> {
  const picture = pictures[side];
  const { name } = file;
  const looking: Picture = { name, kind: 'looking', faces: [], chosen: 0 };
  picture.value = looking;
  try {
    // Add the mirror image, because the thresholds were measured with it.
    const faces = await (await openLibrary()).analyze(file, { flip: true });
    if (picture.value !== looking) return; // the user has chosen another one
    picture.value =
      faces.length > 0
        ? { name, kind: 'seen', faces, chosen: 0 }
        : { name, kind: 'failed', faces, chosen: 0, message: texts.compare.noFace(name) };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    if (picture.value === looking) picture.value = { ...looking, kind: 'failed', message };
  }
}

export function chooseFace(side: Side, chosen: number): void {
  const picture = pictures[side];
  if (picture.value) picture.value = { ...picture.value, chosen };
}

/** Reports a file that is not a picture in the picture's place. */
export function refuseFile(side: Side, { name }: File): void {
  pictures[side].value = { name, kind: 'failed', faces: [], chosen: 0, message: texts.compare.noPicture(name) };
}
