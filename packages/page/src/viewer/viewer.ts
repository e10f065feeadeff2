/** The photo that is shown large, and the face in it. */
import { computed, signal } from '@preact/signals';
import { seenPhotos } from '../album/photo-set.ts';

/** The face under the pointer or with keyboard focus, highlighted in its photo and in the lists. */
export const litFace = signal<string | undefined>(undefined);

interface Viewed {
  /** Id of the photo. */
  readonly photo: string;
  /** Id of the face. */
  readonly face?: string | undefined;
}

const viewed = signal<Viewed | undefined>(undefined);

export const viewedPhoto = computed(() => seenPhotos.value.find(({ id }) => id === viewed.value?.photo));

export const viewedFace = computed(() => {
  const faces = viewedPhoto.value?.faces ?? [];
  return faces.find(({ id }) => id === viewed.value?.face) ?? faces[0];
});

export function view(photo: string, face?: string): void {
  viewed.value = { photo, face };
}

export function close(): void {
  viewed.value = undefined;
}

/** Shows the photo `steps` further on, and stops at either end. */
export function turnPage(steps: number): void {
  const at = seenPhotos.value.findIndex(({ id }) => id === viewed.value?.photo);
  const next = seenPhotos.value[at + steps];
  if (at >= 0 && next !== undefined) view(next.id);
}
