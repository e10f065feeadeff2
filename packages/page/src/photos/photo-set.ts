/** The given photos, the faces found in them, and the faces to keep. */
import { batch, computed, signal } from '@preact/signals';
import { type AnalyzedFace, groupPeople, type MagFace, type Person } from 'magface/browser';
import { openLibrary } from '../library.ts';
import { previewOf } from '../shared/pictures.ts';

/** An analyzed photo. */
export interface Photo {
  readonly file: File;
  /** Includes the folder if a folder was chosen. */
  readonly name: string;
  readonly width: number;
  readonly height: number;
  /** Object URL of a smaller copy. */
  readonly preview: string;
  readonly faces: readonly PhotoFace[];
}

export interface PhotoFace {
  /** Unique on the page. */
  readonly id: number;
  /** Number in its photo, from 1, largest first. */
  readonly number: number;
  readonly name: string;
  /** Number of its photo, because names may repeat. */
  readonly photo: number;
  readonly face: AnalyzedFace;
}

export interface Failure {
  readonly name: string;
  readonly message: string;
}

/** Progress of a run, or how it ended. */
export type Run =
  | { readonly kind: 'idle' }
  | { readonly kind: 'running' | 'finished' | 'cancelled'; readonly done: number; readonly total: number };

export const photos = signal<readonly Photo[]>([]);
export const failures = signal<readonly Failure[]>([]);
export const run = signal<Run>({ kind: 'idle' });
/** Ids of faces not to keep. */
export const dropped = signal<ReadonlySet<number>>(new Set());
/** The person of each face, by id, once the faces are grouped; poor faces that resemble nobody have none. */
export const people = signal<ReadonlyMap<number, number> | undefined>(undefined);
/** Look for faces of at least 20 pixels instead of 1/25 of the photo’s shorter side. */
export const tinyFaces = signal(false);

export const allFaces = computed(() => photos.value.flatMap(({ faces }) => faces));
export const keptFaces = computed(() => allFaces.value.filter(({ id }) => !dropped.value.has(id)));

/** Pending files and abort controller of the last run. Each run has its own, so that runs do not interfere. */
let last: { readonly waiting: File[]; readonly controller: AbortController } | undefined;
let nextId = 0;

/** Adds pictures; they join the current run. */
export async function addPhotos(files: readonly File[]): Promise<void> {
  if (files.length === 0) return;
  const before = run.value;
  if (last !== undefined && before.kind === 'running') {
    last.waiting.push(...files);
    run.value = { ...before, total: before.total + files.length };
    return;
  }
  last = { waiting: [...files], controller: new AbortController() };
  const { waiting, controller } = last;
  run.value = { kind: 'running', done: 0, total: files.length };
  try {
    const magface = await openLibrary();
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift())
      await addPhoto(file, magface, controller.signal);
    controller.signal.throwIfAborted();
    end('finished');
  } catch {
    if (!controller.signal.aborted) end('cancelled'); // aborted by the library, which reports the reason
  }
}

export function cancel(): void {
  last?.controller.abort();
  end('cancelled');
}

export function clear(): void {
  cancel();
  for (const { preview } of photos.value) URL.revokeObjectURL(preview);
  batch(() => {
    photos.value = [];
    failures.value = [];
    dropped.value = new Set();
    people.value = undefined;
    run.value = { kind: 'idle' };
  });
}

export function keep(id: number, kept: boolean): void {
  const next = new Set(dropped.value);
  if (kept) next.delete(id);
  else next.add(id);
  dropped.value = next;
}

export function keepAll(): void {
  batch(() => {
    dropped.value = new Set();
    people.value = undefined;
  });
}

export function keepNone(): void {
  dropped.value = new Set(allFaces.value.map(({ id }) => id));
}

/** Groups faces by person and keeps the best shot of each. Poor faces that resemble nobody are not kept. */
export function keepBestOfEach({ model }: MagFace): void {
  const faces = allFaces.value;
  const library = faces.map(({ id, photo, face: { embedding, quality } }) => ({
    id: String(id),
    photo: String(photo),
    embedding,
    quality,
  }));
  const found = groupPeople(library, model.contract).people;
  const idsOf = ({ faces: indices }: Person): number[] => indices.map((i) => faces[i]!.id);
  const kept = new Set(found.map((person) => idsOf(person)[0]!));
  batch(() => {
    people.value = new Map(found.flatMap((person, number) => idsOf(person).map((id) => [id, number] as const)));
    dropped.value = new Set(faces.map(({ id }) => id).filter((id) => !kept.has(id)));
  });
}

/** Whether the model was measured on pairs: otherwise nobody knows how similar two faces of one person are. */
export const canGroup = ({ model }: MagFace): boolean => (model.contract.thresholds ?? []).length > 0;

async function addPhoto(file: File, magface: MagFace, signal: AbortSignal): Promise<void> {
  const name = file.webkitRelativePath || file.name;
  // Add the mirror image, because the thresholds were measured with it.
  const options = { signal, flip: true, minFace: tinyFaces.value ? 20 : undefined };
  for await (const result of magface.stream([file], options)) {
    const preview = result.error === undefined ? await previewOf(file) : undefined;
    if (signal.aborted && preview !== undefined) URL.revokeObjectURL(preview);
    signal.throwIfAborted();
    batch(() => {
      if (result.error !== undefined) failures.value = [...failures.value, { name, message: result.error.message }];
      else {
        const photo = photos.value.length;
        const faces = result.faces.map((face, i): PhotoFace => ({ id: nextId++, number: i + 1, name, photo, face }));
        photos.value = [...photos.value, { file, name, ...result.image, preview: preview!, faces }];
        people.value = undefined; // a new face may belong to anyone
      }
      const before = run.value;
      if (before.kind === 'running') run.value = { ...before, done: before.done + 1 };
    });
  }
}

function end(kind: 'finished' | 'cancelled'): void {
  if (run.value.kind === 'running') run.value = { ...run.value, kind };
}
