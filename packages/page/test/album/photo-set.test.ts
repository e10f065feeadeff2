/** Runs over photos while models load, whose a photo is when one run ends and the next begins, and what a reload brings back. */
import type { MagFace } from 'magface/browser';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Photo } from '../../src/album/photo.ts';
import { addPhotos, cancel, clear, photos, restorePhotos, run } from '../../src/album/photo-set.ts';

let engine: { resolve: (magface: MagFace) => void; reject: (error: Error) => void };
let opened: Promise<MagFace>;
vi.mock('../../src/library.ts', () => ({ openLibrary: () => opened }));
vi.mock('../../src/shared/pictures.ts', () => ({
  previewOf: async () => ({ blob: new Blob(), width: 10, height: 10 }),
}));

const stored = vi.hoisted(() => ({ photos: new Map<string, Photo>(), settings: new Map<string, unknown>() }));
vi.mock('../../src/album/store.ts', () => ({
  storedPhotos: async () => [...stored.photos.values()],
  storePhoto: async (photo: Photo) => void stored.photos.set(photo.id, photo),
  forgetPhotos: async (ids: Set<string>) => {
    for (const id of ids) stored.photos.delete(id);
  },
  forgetAll: async () => stored.photos.clear(),
  storedSetting: async (key: string) => stored.settings.get(key),
  storeSetting: async (key: string, value: unknown) => void stored.settings.set(key, value),
}));

/** Files that the model has seen. */
let looks: string[] = [];

/** Sees no face in anything. */
const magfaceOf = (digest: string) =>
  ({
    model: { digest },
    async *stream([input]: [File], { signal }: { signal: AbortSignal }) {
      signal.throwIfAborted();
      looks.push(input.name);
      yield { input, index: 0, image: { width: 10, height: 10 }, faces: [] };
    },
  }) as unknown as MagFace;
const magface = magfaceOf('first');

const named = (...names: string[]): File[] => names.map((name) => new File([name], name));
const seen = (): string[] => photos.value.filter(({ state }) => state === 'seen').map(({ name }) => name);
const finished = (done: number, copies = 0) => ({ kind: 'finished', done, total: done, copies });

beforeEach(() => {
  looks = [];
  stored.settings.clear();
  opened = new Promise((resolve, reject) => {
    engine = { resolve, reject };
  });
});
afterEach(clear);

test('shows photos while models load, and analyses all of them in one run', async () => {
  const first = addPhotos(named('a', 'b'));
  await addPhotos(named('c'));
  await vi.waitFor(() => expect(photos.value.map(({ name }) => name)).toEqual(['a', 'b', 'c']));
  expect(seen()).toEqual([]);
  engine.resolve(magface);
  await first;
  expect(seen()).toEqual(['a', 'b', 'c']);
  expect(run.value).toEqual(finished(3));
});

test('knows a copy by its content, and counts it', async () => {
  engine.resolve(magface);
  await addPhotos(named('a'));
  await addPhotos([new File(['a'], 'copy of a'), ...named('b')]);
  expect(seen()).toEqual(['a', 'b']);
  expect(run.value).toEqual(finished(2, 1));
});

test('analyses only photos dropped after Clear, even while models load', async () => {
  const first = addPhotos(named('a', 'b'));
  clear();
  expect(run.value).toEqual({ kind: 'idle' });
  const second = addPhotos(named('c', 'd'));
  engine.resolve(magface);
  await Promise.all([first, second]);
  expect(seen()).toEqual(['c', 'd']);
  expect(run.value).toEqual(finished(2));
});

test('analyses photos dropped after Cancel in their own run', async () => {
  const first = addPhotos(named('a', 'b'));
  cancel();
  expect(run.value).toMatchObject({ kind: 'cancelled', done: 0, total: 2 });
  const second = addPhotos(named('c'));
  engine.resolve(magface);
  await Promise.all([first, second]);
  expect(seen()).toEqual(['c']);
  expect(run.value).toEqual(finished(1));
});

test('ends the run if models cannot be loaded; the photos wait', async () => {
  const first = addPhotos(named('a'));
  await vi.waitFor(() => expect(photos.value).toHaveLength(1));
  engine.reject(new Error('away'));
  await first;
  expect(run.value).toMatchObject({ kind: 'cancelled', done: 0, total: 1 });
  expect(photos.value.map(({ state }) => state)).toEqual(['waiting']);
});

/** The page is opened again: signals are new, storage is not. */
const reload = (): void => {
  const kept = [...stored.photos];
  clear();
  stored.photos = new Map(kept);
  looks = [];
};

test('a reload brings back what was seen, and continues with what waited', async () => {
  engine.resolve(magface);
  await addPhotos(named('a', 'b'));
  stored.photos.set('z', { ...photos.value[0]!, id: 'z', name: 'z', state: 'waiting' });
  reload();
  await restorePhotos();
  expect(seen()).toEqual(['a', 'b', 'z']);
  expect(looks).toHaveLength(1);
  expect(run.value).toEqual(finished(1));
});

test('photos that another model has seen are seen again', async () => {
  engine.resolve(magface);
  await addPhotos(named('a', 'b'));
  reload();
  opened = Promise.resolve(magfaceOf('second'));
  await restorePhotos();
  expect(looks).toEqual(['a', 'b']);
  expect(run.value).toEqual(finished(2));
  reload();
  await restorePhotos();
  expect(looks).toEqual([]);
});
