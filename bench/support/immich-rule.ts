/**
 * The rule by which immich groups faces, written anew from its documentation: faces are taken one by one; each looks for the most similar
 * ones within a distance, as few as make a core. A core joins the person of the nearest of these that has one, or founds a person; any other
 * face waits until all were seen, then joins the nearest face of a person within the distance, or stays alone.
 *
 * immich's own settings are a distance of 0.5 (`maxDistance`, one minus the cosine) and 3 faces (`minFaces`), for another recogniser.
 *
 * @see https://docs.immich.app/features/facial-recognition#how-facial-recognition-works
 * @see https://github.com/immich-app/immich/blob/003b40b826a61122996002316eeedde414e73ff6/server/src/services/person.service.ts
 *   (`handleRecognizeFaces`, of which no code is here)
 */
import type { Neighbours } from '../../packages/magface/src/eval/clusters/neighbours.ts';

export interface ImmichSettings {
  /** Least cosine of similar faces: one minus immich's distance. */
  readonly least: number;
  /** Faces that make a core, its own included. */
  readonly minFaces: number;
}

/**
 * @param graph - all pairs of at least that cosine
 * @returns (N) the cluster of each face; a face alone has a cluster of its own
 */
export function immichClusters(graph: Neighbours, { least, minFaces }: ImmichSettings): Uint32Array {
  const count = graph.starts.length - 1;
  const near = Array.from({ length: count }, (_, face) => nearestFirst(graph, face, least));
  const person = new Int32Array(count).fill(-1);
  const personAmong = (faces: readonly number[]): number => {
    const found = faces.find((face) => person[face]! >= 0);
    return found === undefined ? -1 : person[found]!;
  };
  let people = 0;
  const waiting: number[] = [];
  for (const [face, around] of near.entries()) {
    if (minFaces > 1 && around.length === 0) continue;
    if (around.length + 1 < minFaces) waiting.push(face);
    else {
      const known = personAmong(around.slice(0, Math.max(0, minFaces - 1)));
      const any = known >= 0 ? known : personAmong(around);
      person[face] = any >= 0 ? any : people++;
    }
  }
  for (const face of waiting) person[face] = personAmong(near[face]!);
  return Uint32Array.from(person, (one) => (one >= 0 ? one : people++));
}

/** @returns the faces within the distance, without the face itself */
function nearestFirst({ starts, faces, cosines }: Neighbours, face: number, least: number): number[] {
  const places: number[] = [];
  for (let k = starts[face]!; k < starts[face + 1]!; k++) if (cosines[k]! >= least) places.push(k);
  return places.sort((a, b) => cosines[b]! - cosines[a]!).map((k) => faces[k]!);
}
