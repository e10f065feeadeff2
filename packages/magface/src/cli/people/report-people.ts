/** Writes the page of a library's people. */
import { writeFile } from 'node:fs/promises';
import type { PeopleQuestion } from '../../people/group-people.ts';
import type { PeoplePage, ShownPerson } from '../../report/people-page.ts';
import { imageName, type NumberedPerson, type SortedFace, type SortedLibrary } from './sort-library.ts';

/** Pictures make a page large: about 5 kB each. */
const shownAtMost = { people: 500, questions: 50, doubtful: 4 } as const;

export async function writePeopleReport(file: string, sorted: SortedLibrary): Promise<void> {
  const { peoplePage } = await import('../../report/people-page.ts');
  const people: ShownPerson[] = [];
  for (const person of sorted.people.slice(0, shownAtMost.people)) people.push(await shown(sorted, person, true));
  const questions: PeoplePage['questions'][number][] = [];
  for (const { people: pair, similarity } of sorted.grouped.questions.slice(0, shownAtMost.questions))
    questions.push({ people: await both(sorted, pair), similarity });
  const { threshold, fmr, comparisons, expectedWrongMerges } = sorted.grouped;
  const page = peoplePage({
    people,
    questions,
    counts: { people: sorted.people.length, faces: sorted.faces.length, unplaced: sorted.unplaced.length },
    ...{ threshold, fmr, comparisons, expectedWrongMerges },
  });
  await writeFile(file, page);
}

async function both(sorted: SortedLibrary, [a, b]: PeopleQuestion['people']): Promise<[ShownPerson, ShownPerson]> {
  return [await shown(sorted, sorted.people[a]!, false), await shown(sorted, sorted.people[b]!, false)];
}

async function shown({ faces }: SortedLibrary, person: NumberedPerson, withDoubts: boolean): Promise<ShownPerson> {
  const best = faces[person.faces[0]!]!;
  const doubtful: ShownPerson['doubtful'][number][] = [];
  for (const i of withDoubts ? person.doubtful.slice(0, shownAtMost.doubtful) : [])
    doubtful.push({ place: placeOf(faces[i]!), picture: await pictureOf(faces[i]!) });
  const { number, name } = person;
  const images = person.faces.length;
  return {
    ...{ number, faces: images, doubtful },
    ...(name !== undefined && { name }),
    place: placeOf(best),
    picture: await pictureOf(best),
  };
}

const placeOf = ({ photo, face }: SortedFace): string => `${imageName(photo)}#${face}`;

/** A photo deleted meanwhile leaves a gap. */
async function pictureOf({ photo, face }: SortedFace): Promise<string> {
  const { facePicture } = await import('../pictures.ts');
  return facePicture(photo.path, photo.faces[face]!.box, 128).catch(() => '');
}
