/**
 * What the page remembers in this browser, so that nothing is lost when it is reloaded: photos with their faces, and what the user
 * said of them. Without storage (private windows, a full disk) the page works, and says that it forgets.
 */
import { signal } from '@preact/signals';
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import type { Photo } from './photo.ts';

interface Schema extends DBSchema {
  photos: { key: number; value: StoredPhoto; indexes: { id: string } };
  settings: { key: string; value: unknown };
}

/** The order of photos is that of their keys. */
type StoredPhoto = Photo & { readonly key?: number };

/** Whether the browser keeps what the page saves. */
export const remembers = signal(true);

let opened: Promise<IDBPDatabase<Schema>> | undefined;
/** Writes happen one after another, in the order of the calls. */
let last: Promise<unknown> = Promise.resolve();

const open = (): Promise<IDBPDatabase<Schema>> => {
  opened ??= openDB<Schema>('magface', 1, {
    upgrade: (database) => {
      database.createObjectStore('photos', { keyPath: 'key', autoIncrement: true }).createIndex('id', 'id');
      database.createObjectStore('settings');
    },
    // Another tab brings a newer version of the page.
    blocking: (_current, _blocked, event) => (event.target as IDBDatabase).close(),
  });
  return opened;
};

/** @returns the photos in the order in which they were added */
export async function storedPhotos(): Promise<Photo[]> {
  try {
    return await (await open()).getAll('photos');
  } catch {
    remembers.value = false;
    return [];
  }
}

/** Adds a photo, or replaces the one with the same id. */
export function storePhoto(photo: Photo): Promise<void> {
  return write(async (database) => {
    const transaction = database.transaction('photos', 'readwrite');
    const key = await transaction.store.index('id').getKey(photo.id);
    await transaction.store.put(key === undefined ? photo : { ...photo, key });
    await transaction.done;
  });
}

export function forgetPhotos(ids: ReadonlySet<string>): Promise<void> {
  return write(async (database) => {
    const transaction = database.transaction('photos', 'readwrite');
    for (const id of ids) {
      const key = await transaction.store.index('id').getKey(id);
      if (key !== undefined) await transaction.store.delete(key);
    }
    await transaction.done;
  });
}

/** Forgets photos and settings. */
export function forgetAll(): Promise<void> {
  return write(async (database) => {
    await database.clear('photos');
    await database.clear('settings');
  });
}

export async function storedSetting<T>(key: string): Promise<T | undefined> {
  try {
    return (await (await open()).get('settings', key)) as T | undefined;
  } catch {
    remembers.value = false;
    return undefined;
  }
}

export function storeSetting(key: string, value: unknown): Promise<void> {
  return write(async (database) => {
    await database.put('settings', value, key);
  });
}

function write(job: (database: IDBPDatabase<Schema>) => Promise<void>): Promise<void> {
  const turn = last
    .then(async () => job(await open()))
    .then(
      () => {
        remembers.value = true;
      },
      () => {
        remembers.value = false;
      },
    );
  last = turn;
  return turn;
}
