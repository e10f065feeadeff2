/** Poor faces join the group most like them. */
import { absorb, type Group, likeness, mayJoin } from './groups.ts';

/**
 * Faces are compared with the groups as they are without poor faces, so that these do not pull each other in.
 *
 * @param poor - the best first
 * @param groups - grow
 * @param bar - least similarity
 * @returns those that join none
 */
export function joinPoorGroups(poor: readonly Group[], groups: readonly Group[], bar: number): Group[] {
  const wishes = poor.flatMap((one, face) =>
    groups.flatMap((group, k) => {
      const similarity = likeness(one, group);
      return similarity >= bar ? [{ similarity, face, k }] : [];
    }),
  );
  wishes.sort((x, y) => y.similarity - x.similarity || x.face - y.face || x.k - y.k);
  const placed = new Set<number>();
  for (const { face, k } of wishes) {
    if (placed.has(face) || !mayJoin(poor[face]!, groups[k]!)) continue;
    absorb(groups[k]!, poor[face]!);
    placed.add(face);
  }
  return poor.filter((_, face) => !placed.has(face));
}
