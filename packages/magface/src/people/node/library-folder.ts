/**
 * Keeps a library in a folder: `photos.jsonl` has a line per photo and grows while photos are embedded, so that a killed run loses
 * nothing but the photo at hand; `people.json` has corrections and numbers.
 */
import { appendFile, open, readFile, rename, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FormatError } from '../../errors.ts';
import { lockFolder } from '../../machine/folder-lock.ts';
import { makeFolder } from '../../machine/make-folder.ts';
import {
  type LibraryModel,
  type LibraryPhoto,
  type LibraryStore,
  modelSchema,
  nobody,
  peopleSchema,
  photoSchema,
  type StoredLibrary,
} from './library.ts';

const purpose = {
  key: 'state',
  what: 'the library',
  use: 'sorts it',
  remedy: 'wait until it is done, or name another folder',
} as const;

/**
 * @param folder - is made if missing
 * @throws {ConfigError} if another process has it
 * @throws {FormatError} if its files are damaged
 */
export async function openLibraryFolder(folder: string): Promise<LibraryStore> {
  await makeFolder(folder);
  const lock = await lockFolder(folder, purpose, { thread: true });
  const [photosFile, peopleFile] = [join(folder, 'photos.jsonl'), join(folder, 'people.json')];
  const append = async (entry: object): Promise<void> => {
    lock.expectHeld();
    await appendFile(photosFile, `${JSON.stringify(entry)}\n`);
  };
  try {
    return {
      key: 'state',
      stored: { ...(await readPhotos(photosFile)), people: await readPeople(peopleFile) },
      setModel: (model) => append({ model }),
      addPhoto: append,
      setPeople: async (people) => {
        lock.expectHeld();
        await writeFile(`${peopleFile}.part`, JSON.stringify(people));
        await rename(`${peopleFile}.part`, peopleFile);
      },
      [Symbol.asyncDispose]: () => lock.release(),
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** Cuts off a last line that a killed run left unfinished. */
async function readPhotos(file: string): Promise<Omit<StoredLibrary, 'people'>> {
  const photos = new Map<string, LibraryPhoto>();
  let model: LibraryModel | undefined;
  const handle = await open(file).catch(ifMissing);
  if (handle === undefined) return { photos };
  let [lines, complete] = [0, 0];
  const { size } = await handle.stat();
  for await (const text of handle.readLines()) {
    const end = complete + Buffer.byteLength(text) + 1;
    if (end > size) break; // no line end
    complete = end;
    const entry = parsed(z.union([photoSchema, z.object({ model: modelSchema })]), text, {
      file,
      part: `line ${++lines}`,
    });
    if ('model' in entry) model = entry.model;
    else photos.set(entry.digest, entry);
  }
  if (complete < size) await truncate(file, complete);
  return { ...(model && { model }), photos };
}

async function readPeople(file: string): Promise<StoredLibrary['people']> {
  const text = await readFile(file, 'utf8').catch(ifMissing);
  return text === undefined ? nobody : parsed(peopleSchema, text, { file, part: 'people' });
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
}

function parsed<T>(schema: z.ZodType<T>, text: string, where: { readonly file: string; readonly part: string }): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const { file, part } = where;
    throw new FormatError(
      file,
      {
        expected: 'what `magface people` wrote',
        problem: `${part} is damaged`,
        remedy: 'delete the file and group the photos again',
      },
      { cause },
    );
  }
}
