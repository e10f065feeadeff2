/** The people in the photos: grouped again whenever faces or the user's words change. Names and answers are kept. */
import { batch, computed, effect, signal, untracked } from '@preact/signals';
import {
  type AllCorrections,
  type GroupedPeople,
  joinPeople,
  keepNumbers,
  namePerson,
  noCorrections,
  type PeopleOptions,
  type Person,
  partFace,
  partPeople,
} from 'magface/browser';
import type { PhotoFace } from '../album/photo.ts';
import { allFaces, run } from '../album/photo-set.ts';
import { storedSetting, storeSetting } from '../album/store.ts';
import { library } from '../library.ts';
import { texts } from '../texts.ts';
import { groupFaces } from './group-faces.ts';

/** A person on the page. */
export interface ShownPerson {
  /** Lasting: from 1. */
  readonly number: number;
  readonly name?: string;
  /** The best shot first. */
  readonly faces: readonly PhotoFace[];
  /** Those of the faces that resemble the others little. */
  readonly doubtful: readonly PhotoFace[];
}

export interface Grouping {
  readonly people: readonly ShownPerson[];
  /** Poor faces that resemble nobody enough. */
  readonly unplaced: readonly PhotoFace[];
  /** People who may be one. */
  readonly questions: readonly (readonly [ShownPerson, ShownPerson])[];
}

interface Numbers {
  /** The number of each face's person, by the face's id. */
  readonly byFace: ReadonlyMap<string, number>;
  /** The highest number so far. */
  readonly used: number;
}

/** What the user did last, and how things stood before. */
interface Step {
  readonly words: string;
  readonly before: AllCorrections;
}

export const grouping = signal<Grouping | undefined>(undefined);
/** Whether the grouping is being made. */
export const isGrouping = signal(false);
export const corrections = signal<AllCorrections>(noCorrections);
/** The newest last. */
export const steps = signal<readonly Step[]>([]);
export const problem = signal<string | undefined>(undefined);
const numbers = signal<Numbers>({ byFace: new Map(), used: 0 });
/** Of the last visit, until the models are open. */
const storedRecord = signal<ModelRecord>({});

/** What the model's record says of similarities. */
type ModelRecord = Pick<PeopleOptions, 'thresholds' | 'likelihood'>;

export const record = computed((): ModelRecord => {
  if (library.value.kind !== 'ready') return storedRecord.value;
  const { thresholds, likelihood } = library.value.magface.model.contract;
  return { thresholds, likelihood };
});

/** Whether the model was measured on pairs: otherwise nobody knows how similar two faces of one person are. */
export const canGroup = computed(() => (record.value.thresholds ?? []).length > 0);

/** The person of each face, by the face's id. */
export const personOf = computed(
  () => new Map(grouping.value?.people.flatMap((person) => person.faces.map(({ id }) => [id, person] as const))),
);

/** Reads what earlier visits left, then groups whenever something changes. */
export async function restorePeople(): Promise<void> {
  const [said, numbered, measured] = await Promise.all([
    storedSetting<AllCorrections>('corrections'),
    storedSetting<Numbers>('numbers'),
    storedSetting<ModelRecord>('record'),
  ]);
  batch(() => {
    corrections.value = said ?? corrections.value;
    numbers.value = numbered ?? numbers.value;
    storedRecord.value = measured ?? storedRecord.value;
  });
  effect(() => {
    if (library.value.kind === 'ready') void storeSetting('record', record.value);
  });
  effect(() => {
    const [faces, said, measured] = [allFaces.value, corrections.value, record.value];
    if (run.value.kind === 'running' || !canGroup.value) return;
    untracked(() => void regroup(faces, said, measured));
  });
}

export function forgetPeople(): void {
  batch(() => {
    corrections.value = noCorrections;
    numbers.value = { byFace: new Map(), used: 0 };
    steps.value = [];
    grouping.value = undefined;
  });
}

/** Names a person. A person of the same name becomes the same one; without letters the name is taken away. */
export function name(person: ShownPerson, given: string): void {
  const ids = idsOf(person);
  const wanted = given.trim();
  if (wanted === (person.name ?? '')) return;
  const before = corrections.value;
  const title = texts.people.person(person.number);
  const namedFace = before.names.find(([, one]) => one === wanted)?.[0];
  const same = namedFace === undefined ? undefined : personOf.value.get(namedFace);
  if (wanted === '') {
    const names = before.names.filter(([face]) => !ids.includes(face));
    say(texts.people.unnamed(titleOf(person)), { ...before, names });
  } else if (same !== undefined)
    say(texts.people.joined(wanted, title), joinPeople(before, sureIds(same), sureIds(person)));
  else say(texts.people.named(title, wanted), namePerson(before, ids, wanted));
}

/** "These two are one person". */
export function join(a: ShownPerson, b: ShownPerson): void {
  say(texts.people.joined(titleOf(a), titleOf(b)), joinPeople(corrections.value, sureIds(a), sureIds(b)));
}

/** "These are two people". */
export function part(a: ShownPerson, b: ShownPerson): void {
  say(texts.people.parted(titleOf(a), titleOf(b)), partPeople(corrections.value, idsOf(a), idsOf(b)));
}

/** "This face is that person", although it resembles the others little. */
export function confirmFace(face: PhotoFace, person: ShownPerson): void {
  say(texts.people.confirmed(titleOf(person)), joinPeople(corrections.value, sureIds(person), [face.id]));
}

/** "This face is someone else". */
export function partFrom(face: PhotoFace, person: ShownPerson): void {
  say(texts.people.faceParted(titleOf(person)), partFace(corrections.value, face.id, idsOf(person)));
}

export function undo(): void {
  const step = steps.value.at(-1);
  if (step === undefined) return;
  steps.value = steps.value.slice(0, -1);
  setCorrections(step.before);
}

export const titleOf = ({ name: given, number }: ShownPerson): string => given ?? texts.people.person(number);

const idsOf = ({ faces }: ShownPerson): string[] => faces.map(({ id }) => id);

/** Without faces that may be someone else's. */
const sureIds = ({ faces, doubtful }: ShownPerson): string[] =>
  faces.filter((face) => !doubtful.includes(face)).map(({ id }) => id);

function say(words: string, next: AllCorrections): void {
  batch(() => {
    problem.value = undefined;
    steps.value = [...steps.value, { words, before: corrections.value }];
    setCorrections(next);
  });
}

function setCorrections(next: AllCorrections): void {
  corrections.value = next;
  void storeSetting('corrections', next);
}

async function regroup(faces: readonly PhotoFace[], said: AllCorrections, measured: ModelRecord): Promise<void> {
  const ungrouped = faces.map(({ id, photo, face: { embedding, quality } }) => ({ id, photo, embedding, quality }));
  isGrouping.value = true;
  try {
    const grouped = await groupFaces(ungrouped, { ...measured, corrections: said });
    if (grouped === undefined) return; // a later call is on its way
    batch(() => {
      grouping.value = shown(grouped, faces);
      isGrouping.value = false;
    });
  } catch (error) {
    // The answers contradict each other: take the last one back.
    problem.value = error instanceof Error ? error.message : String(error);
    isGrouping.value = false;
    undo();
  }
}

function shown({ people, unplaced, questions }: GroupedPeople, faces: readonly PhotoFace[]): Grouping {
  const placed = people.map(({ faces: indices }) => indices.map((i) => faces[i]!.id));
  const { byFace, used } = numbers.value;
  const numbered = keepNumbers(placed, byFace, used);
  numbers.value = {
    // Faces that are gone keep their numbers, for the day they return.
    byFace: new Map([...byFace, ...placed.flatMap((ids, k) => ids.map((id) => [id, numbered[k]!] as const))]),
    used: numbered.reduce((most, number) => Math.max(most, number), used),
  };
  void storeSetting('numbers', numbers.value);
  const before = new Map(grouping.value?.people.map((person) => [person.number, person]));
  const all = people.map((person, k): ShownPerson => {
    const next = shownPerson(person, numbered[k]!, faces);
    const known = before.get(next.number);
    return known !== undefined && areEqual(known, next) ? known : next;
  });
  const apart = unplaced.map((i) => faces[i]!);
  const unplacedBefore = grouping.value?.unplaced ?? [];
  return {
    people: all,
    unplaced: haveSame(unplacedBefore, apart) ? unplacedBefore : apart,
    questions: questions.map(({ people: [a, b] }) => [all[a]!, all[b]!] as const),
  };
}

/** Who did not change stays the same object, so that only the others are drawn again. */
const areEqual = (a: ShownPerson, b: ShownPerson): boolean =>
  a.name === b.name && haveSame(a.faces, b.faces) && haveSame(a.doubtful, b.doubtful);

const haveSame = (a: readonly PhotoFace[], b: readonly PhotoFace[]): boolean =>
  a.length === b.length && a.every((face, i) => face === b[i]);

function shownPerson(
  { name: given, faces: indices, doubtful }: Person,
  number: number,
  all: readonly PhotoFace[],
): ShownPerson {
  const faces = (chosen: readonly number[]): PhotoFace[] => chosen.map((i) => all[i]!);
  return { number, faces: faces(indices), doubtful: faces(doubtful), ...(given === undefined ? {} : { name: given }) };
}
