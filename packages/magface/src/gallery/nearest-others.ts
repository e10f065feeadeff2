/** Compares faces of a gallery with everybody's templates: the person's own without the face, and the nearest other. */
import { product, unitRows } from '../row-products.ts';
import type { StoredFace } from './gallery-types.ts';

/** A person of a comparison; a `StoredPerson` is one. */
export interface ComparedPerson {
  readonly person: string;
  readonly faces: readonly Pick<StoredFace, 'embedding' | 'face' | 'image' | 'quality'>[];
}

/** One face beside everybody. */
export interface FaceNeighbours {
  /** Index of its person. */
  readonly person: number;
  /** Index among the person's faces. */
  readonly face: number;
  /** Cosine to the person's template without this face; undefined for an only face. */
  readonly own: number | undefined;
  /** Index of the most similar other person; -1 without others. */
  readonly nearest: number;
  /** Cosine to that person's template. */
  readonly similarity: number;
}

/** @returns the sum of the embeddings: the template */
export function templateOf(embeddings: readonly Float32Array[]): Float32Array {
  const sum = new Float32Array(embeddings[0]?.length ?? 0);
  for (const embedding of embeddings) for (let d = 0; d < sum.length; d++) sum[d]! += embedding[d]!;
  return sum;
}

/** @returns (N, D) everybody's templates at length 1 */
export const unitTemplates = (people: readonly ComparedPerson[]): Float32Array =>
  unitRows(people.map(({ faces }) => templateOf(faces.map(({ embedding }) => embedding))));

/**
 * @param templates - (N, D) at length 1
 * @param probe - (D) at length 1
 * @param own - index to leave out
 * @returns index and cosine of the most similar other template; -1 without others
 */
export function nearestOther(templates: Float32Array, probe: Float32Array, own: number): [at: number, cosine: number] {
  const dimension = probe.length;
  let [nearest, best] = [-1, -1];
  for (let i = 0; i < templates.length / dimension; i++) {
    if (i === own) continue;
    const cosine = product(probe, 0, templates, i * dimension, dimension);
    if (cosine > best || nearest < 0) [nearest, best] = [i, cosine];
  }
  return [nearest, best];
}

/** Milliseconds of work after which others get a turn: a service answers meanwhile. */
const turn = 20;

/** @returns a function that gives others a turn if the last one is long ago */
export function turnGiver(): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < turn) return;
    await new Promise((resolve) => setImmediate(resolve));
    since = performance.now();
  };
}

/** Options for comparing faces. */
export interface NearestOptions {
  /** Faces to compare, spread evenly over the people's. @default all */
  readonly most?: number;
  /** (N, D) of the people. @default computed */
  readonly templates?: Float32Array;
}

/** @returns one result per compared face, in the order of the people */
export async function nearestOthers(
  people: readonly ComparedPerson[],
  { most = Number.POSITIVE_INFINITY, templates = unitTemplates(people) }: NearestOptions = {},
): Promise<FaceNeighbours[]> {
  const all = people.flatMap(({ faces }, person) => faces.map((_, face) => ({ person, face })));
  const step = Math.max(1, all.length / most);
  const chosen = Array.from({ length: Math.ceil(all.length / step) }, (_, i) => all[Math.floor(i * step)]!);
  const giveTurn = turnGiver();
  const found: FaceNeighbours[] = [];
  for (const { person, face } of chosen) {
    await giveTurn();
    const { faces } = people[person]!;
    const { embedding } = faces[face]!;
    const probe = unitRows([embedding]);
    const rest = faces.filter((_, i) => i !== face).map((other) => other.embedding);
    const own = rest.length === 0 ? undefined : product(probe, 0, unitRows([templateOf(rest)]), 0, probe.length);
    const [nearest, similarity] = nearestOther(templates, probe, person);
    found.push({ person, face, own, nearest, similarity });
  }
  return found;
}
