/** The open-set threshold of the service's gallery, computed again only after changes. */
import type { DecisionThreshold } from '../decision.ts';
import type { SearchableGallery } from '../gallery/gallery.ts';
import type { StoredPerson } from '../gallery/gallery-types.ts';
import { type OpenSetThreshold, openSetThreshold } from '../gallery/open-set.ts';

/** Milliseconds after which it is computed again: other processes may change a server's gallery. */
const lifetime = 10 * 60 * 1000;

/** @returns a function from a rate to its threshold; undefined for an empty gallery */
export function openSetRule(
  gallery: Pick<SearchableGallery, 'everybody' | 'changes'>,
  thresholds: readonly DecisionThreshold[] | undefined,
): (fpir: number) => Promise<OpenSetThreshold | undefined> {
  const known = new Map<number, Promise<OpenSetThreshold | undefined>>();
  let [changes, until] = [gallery.changes, 0];
  const compute = async (fpir: number): Promise<OpenSetThreshold | undefined> => {
    const people: StoredPerson[] = [];
    for await (const person of gallery.everybody()) people.push(person);
    return people.length === 0 ? undefined : openSetThreshold(people, thresholds, fpir);
  };
  return (fpir) => {
    if (changes !== gallery.changes || Date.now() > until || known.size > 16) known.clear();
    if (known.size === 0) [changes, until] = [gallery.changes, Date.now() + lifetime];
    const found = known.get(fpir) ?? compute(fpir);
    known.set(fpir, found);
    found.catch(() => known.delete(fpir));
    return found;
  };
}
