/** The faces to keep: all, until the user leaves some out. */
import { computed, signal } from '@preact/signals';
import { allFaces } from '../album/photo-set.ts';
import { storedSetting, storeSetting } from '../album/store.ts';
import { grouping } from '../people/people-set.ts';

const settingKey = 'leftOut';

/** Ids of faces not to keep. */
export const leftOut = signal<ReadonlySet<string>>(new Set());

export const keptFaces = computed(() => allFaces.value.filter(({ id }) => !leftOut.value.has(id)));

export async function restoreKept(): Promise<void> {
  leftOut.value = (await storedSetting<ReadonlySet<string>>(settingKey)) ?? leftOut.value;
}

export function keep(id: string, kept: boolean): void {
  const next = new Set(leftOut.value);
  if (kept) next.delete(id);
  else next.add(id);
  leaveOut(next);
}

export const keepAll = (): void => leaveOut(new Set());

export const keepNone = (): void => leaveOut(new Set(allFaces.value.map(({ id }) => id)));

/** Keeps the best shot of each person. Poor faces that resemble nobody are not kept. */
export function keepBestOfEach(): void {
  const best = new Set(grouping.value?.people.map(({ faces: [first] }) => first!.id));
  leaveOut(new Set(allFaces.value.map(({ id }) => id).filter((id) => !best.has(id))));
}

function leaveOut(ids: ReadonlySet<string>): void {
  leftOut.value = ids;
  void storeSetting(settingKey, ids);
}
