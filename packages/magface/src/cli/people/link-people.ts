/** A folder of links to photos for each person. */
import { lstat, readdir, rm, rmdir, symlink, writeFile } from 'node:fs/promises';
import { join, parse, relative } from 'node:path';
import { makeFolder } from '../../machine/make-folder.ts';
import { type NumberedPerson, peopleRecord, type SortedLibrary } from './sort-library.ts';

/** Replaces the links of earlier runs; other files in the folders stay. */
export async function linkPeople(folder: string, sorted: SortedLibrary): Promise<void> {
  await makeFolder(folder);
  await removeLinks(folder);
  for (const person of sorted.people) {
    const place = join(folder, folderName(person));
    await makeFolder(place);
    const used = new Set(await readdir(place));
    for (const { photo } of person.faces.map((i) => sorted.faces[i]!)) {
      const name = freeName(photo.path, used);
      used.add(name);
      await symlink(relative(place, photo.path), join(place, name));
    }
  }
  const { threshold, fmr, comparisons, expectedWrongMerges, questions } = sorted.grouped;
  const numberOf = (k: number): number => sorted.people[k]!.number;
  const record = {
    people: sorted.people.map((person) => peopleRecord(sorted, person)),
    unplaced: sorted.unplaced.map((i) => ({ image: sorted.faces[i]!.photo.path, face: sorted.faces[i]!.face })),
    questions: questions.map(({ people: [a, b], similarity }) => ({ people: [numberOf(a), numberOf(b)], similarity })),
    ...{ threshold, fmr, comparisons, expectedWrongMerges },
  };
  await writeFile(join(folder, 'people.json'), `${JSON.stringify(record, null, 2)}\n`);
}

/** `Ann Lee`, `person-12`; signs that some file system refuses become `_`. */
function folderName({ name, number }: NumberedPerson): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: no file system takes these
  const safe = (name ?? '').replaceAll(/[<>:"/\\|?*\u0000-\u001f]/g, '_').replace(/^[. ]+|[. ]+$/g, '');
  return safe === '' ? `person-${number}` : safe;
}

function freeName(path: string, used: ReadonlySet<string>): string {
  const { name, ext } = parse(path);
  for (let number = 1; ; number++) {
    const free = number === 1 ? name + ext : `${name}-${number}${ext}`;
    if (!used.has(free)) return free;
  }
}

async function removeLinks(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
    const place = join(folder, entry.name);
    const names = await readdir(place);
    for (const name of names) {
      const file = join(place, name);
      if ((await lstat(file)).isSymbolicLink()) await rm(file);
    }
    if ((await readdir(place)).length === 0) await rmdir(place);
  }
}
