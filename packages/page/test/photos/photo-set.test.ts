/** Runs over photos while models load, and whose a photo is when one run ends and the next begins. */
import type { MagFace } from 'magface/browser';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { addPhotos, cancel, clear, photos, run } from '../../src/photos/photo-set.ts';

let library: { resolve: (magface: MagFace) => void; reject: (error: Error) => void };
let opened: Promise<MagFace>;
vi.mock('../../src/library.ts', () => ({ openLibrary: () => opened }));
vi.mock('../../src/shared/pictures.ts', () => ({ previewOf: async () => 'blob:x' }));

/** Sees no face in anything. */
const magface = {
  async *stream([input]: [File], { signal }: { signal: AbortSignal }) {
    signal.throwIfAborted();
    yield { input, index: 0, image: { width: 10, height: 10 }, faces: [] };
  },
} as unknown as MagFace;

const named = (...names: string[]): File[] => names.map((name) => new File([], name));
const seen = (): string[] => photos.value.map(({ name }) => name);

beforeEach(() => {
  opened = new Promise((resolve, reject) => {
    library = { resolve, reject };
  });
});
afterEach(clear);

test('analyses all photos dropped while models load, in one run', async () => {
  const first = addPhotos(named('a', 'b'));
  await addPhotos(named('c'));
  library.resolve(magface);
  await first;
  expect(seen()).toEqual(['a', 'b', 'c']);
  expect(run.value).toEqual({ kind: 'finished', done: 3, total: 3 });
});

test('analyses only photos dropped after Clear, even while models load', async () => {
  const first = addPhotos(named('a', 'b'));
  clear();
  expect(run.value).toEqual({ kind: 'idle' });
  const second = addPhotos(named('c', 'd'));
  library.resolve(magface);
  await Promise.all([first, second]);
  expect(seen()).toEqual(['c', 'd']);
  expect(run.value).toEqual({ kind: 'finished', done: 2, total: 2 });
});

test('analyses photos dropped after Cancel in their own run', async () => {
  const first = addPhotos(named('a', 'b'));
  cancel();
  expect(run.value).toEqual({ kind: 'cancelled', done: 0, total: 2 });
  const second = addPhotos(named('c'));
  library.resolve(magface);
  await Promise.all([first, second]);
  expect(seen()).toEqual(['c']);
  expect(run.value).toEqual({ kind: 'finished', done: 1, total: 1 });
});

test('ends the run if models cannot be loaded', async () => {
  const first = addPhotos(named('a'));
  library.reject(new Error('away'));
  await first;
  expect([seen(), run.value]).toEqual([[], { kind: 'cancelled', done: 0, total: 1 }]);
});
