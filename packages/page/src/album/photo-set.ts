/** The given photos and the faces found in them. Photos show at once; the models look at them in turn. */
import { batch, computed, signal } from '@preact/signals';
import type { MagFace } from 'magface/browser';
import { openLibrary } from '../library.ts';
import { previewOf } from '../shared/pictures.ts';
import { facesOf, type Photo, photoId } from './photo.ts';
import { forgetAll, forgetPhotos, storedPhotos, storedSetting, storePhoto, storeSetting } from './store.ts';

/** Progress of a run, or how it ended. */
export type Run =
  | { readonly kind: 'idle' }
  | {
      readonly kind: 'running' | 'finished' | 'cancelled';
      readonly done: number;
      readonly total: number;
      /** Files whose content the page had already. */
      readonly copies: number;
    };

export const photos = signal<readonly Photo[]>([]);
export const run = signal<Run>({ kind: 'idle' });
/** Look for faces of at least 20 pixels instead of 1/25 of the photo’s shorter side. */
export const tinyFaces = signal(false);

export const seenPhotos = computed(() => photos.value.filter(({ state }) => state === 'seen'));
export const failures = computed(() => photos.value.filter(({ state }) => state === 'failed'));
export const allFaces = computed(() => photos.value.flatMap(({ faces }) => faces));

/** Each run has its own, so that runs do not interfere. */
interface Job {
  readonly controller: AbortController;
  /** One for each file: resolves when the file is among the photos. They happen one after another. */
  readonly admissions: Promise<void>[];
  lastAdmission: Promise<void>;
}
let last: Job | undefined;

/** Adds pictures; they join the current run. */
export async function addPhotos(files: readonly File[]): Promise<void> {
  if (files.length === 0) return;
  const before = run.value;
  if (last === undefined || before.kind !== 'running') return start(files, 0);
  run.value = { ...before, total: before.total + files.length };
  admitLater(last, files);
}

/** Shows the photos of earlier visits, and continues with those that still wait. */
export async function restorePhotos(): Promise<void> {
  const stored = await storedPhotos();
  if (stored.length === 0) return;
  const known = new Set(stored.map(({ id }) => id));
  const waiting = stored.filter(({ state }) => state === 'waiting').length;
  batch(() => {
    photos.value = [...stored, ...photos.value.filter(({ id }) => !known.has(id))];
    const before = run.value; // the user may have added photos meanwhile
    if (before.kind === 'running') run.value = { ...before, total: before.total + waiting };
    else run.value = { kind: 'finished', done: stored.length, total: stored.length, copies: 0 };
  });
  if (run.value.kind === 'finished' && (waiting > 0 || (await isOtherModel()))) await start([], waiting);
}

/** Stops the run and removes the photos that still wait. */
export function cancel(): void {
  last?.controller.abort();
  end('cancelled');
  const waiting = new Set(photos.value.filter(({ state }) => state === 'waiting').map(({ id }) => id));
  if (waiting.size === 0) return;
  photos.value = photos.value.filter(({ id }) => !waiting.has(id));
  void forgetPhotos(waiting);
}

/** Forgets everything. */
export function clear(): void {
  cancel();
  batch(() => {
    photos.value = [];
    run.value = { kind: 'idle' };
  });
  void forgetAll();
}

/** @param waiting - the number of photos that wait already */
async function start(files: readonly File[], waiting: number): Promise<void> {
  const job: Job = { controller: new AbortController(), admissions: [], lastAdmission: Promise.resolve() };
  last = job;
  run.value = { kind: 'running', done: 0, total: files.length + waiting, copies: 0 };
  admitLater(job, files);
  try {
    const magface = await openLibrary();
    await useModel(magface, job.controller.signal);
    await seeAll(job, magface);
    end('finished');
  } catch {
    // Aborted, or the library failed: the page reports the reason, and the photos wait for the next visit.
    if (!job.controller.signal.aborted) end('cancelled');
  }
}

function admitLater(job: Job, files: readonly File[]): void {
  for (const file of files) {
    job.lastAdmission = job.lastAdmission.then(() => admit(file, job.controller.signal));
    job.admissions.push(job.lastAdmission);
  }
}

/** Makes the file a photo that waits. A file that cannot be read fails in its turn. */
async function admit(file: File, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const id = await photoId(file).catch(() => `unreadable ${file.name}`);
  const before = run.value;
  if (photos.value.some((photo) => photo.id === id)) {
    if (!signal.aborted && before.kind === 'running')
      run.value = { ...before, done: before.done + 1, copies: before.copies + 1 };
    return;
  }
  const name = file.webkitRelativePath || file.name;
  const preview = await previewOf(file).catch(() => undefined);
  if (signal.aborted) return;
  const photo: Photo = { id, file, name, state: 'waiting', preview, faces: [] };
  photos.value = [...photos.value, photo];
  void storePhoto(photo);
}

/** Looks at photos until none is left, neither waiting nor to come. */
async function seeAll({ admissions, controller }: Job, magface: MagFace): Promise<void> {
  for (;;) {
    controller.signal.throwIfAborted();
    const next = photos.value.find(({ state }) => state === 'waiting');
    if (next !== undefined) await see(next, magface, controller.signal);
    else {
      const admission = admissions.shift();
      if (admission === undefined) return;
      await admission;
    }
  }
}

async function see(photo: Photo, magface: MagFace, signal: AbortSignal): Promise<void> {
  // Add the mirror image, because the thresholds were measured with it.
  const options = { signal, flip: true, minFace: tinyFaces.value ? 20 : undefined };
  for await (const result of magface.stream([photo.file], options)) {
    signal.throwIfAborted();
    const next: Photo =
      result.error !== undefined
        ? { ...photo, state: 'failed', message: result.error.message }
        : { ...photo, state: 'seen', faces: facesOf(photo, result.faces) };
    batch(() => {
      photos.value = photos.value.map((one) => (one.id === photo.id ? next : one));
      if (run.value.kind === 'running') run.value = { ...run.value, done: run.value.done + 1 };
    });
    void storePhoto(next);
  }
}

const modelKey = 'model';

/** Embeddings of another model cannot be compared with new ones: its photos wait again. */
async function useModel({ model }: MagFace, signal: AbortSignal): Promise<void> {
  if (await isOtherModel()) {
    signal.throwIfAborted();
    const seen = seenPhotos.value.length;
    batch(() => {
      photos.value = photos.value.map((photo) => ({ ...photo, state: 'waiting', faces: [] }));
      if (run.value.kind === 'running') run.value = { ...run.value, total: run.value.total + seen };
    });
  }
  await storeSetting(modelKey, model.digest);
}

/** Whether the stored faces are another model's. */
async function isOtherModel(): Promise<boolean> {
  const before = await storedSetting<string>(modelKey);
  const magface = await openLibrary().catch(() => undefined);
  return magface !== undefined && before !== undefined && before !== magface.model.digest;
}

function end(kind: 'finished' | 'cancelled'): void {
  if (run.value.kind === 'running') run.value = { ...run.value, kind };
}
