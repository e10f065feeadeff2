/** The open-set threshold of the service's gallery: for any rate, the gallery is read again only after changes. */
import type { DecisionThreshold } from '../decision.ts';
import type { SearchableGallery } from '../gallery/gallery.ts';
import type { StoredPerson } from '../gallery/gallery-types.ts';
import { type OpenSetThreshold, type StrangerTails, strangerTails, thresholdOfTails } from '../gallery/open-set.ts';

/** Milliseconds after which it is computed again: other processes may change a server's gallery. */
const lifetime = 10 * 60 * 1000;

/** @returns a function from a rate to its threshold; undefined for an empty gallery */
export function openSetRule(
  gallery: Pick<SearchableGallery, 'everybody' | 'changes'>,
  thresholds: readonly DecisionThreshold[] | undefined,
): (fpir: number) => Promise<OpenSetThreshold | undefined> {
  let known: Promise<StrangerTails> | undefined;
  let [changes, until] = [gallery.changes, 0];
  const measure = async (): Promise<StrangerTails> => {
    const people: StoredPerson[] = [];
    for await (const person of gallery.everybody()) people.push(person);
    return strangerTails(people, thresholds);
  };
  return async (fpir) => {
    if (known === undefined || changes !== gallery.changes || Date.now() > until) {
      [changes, until] = [gallery.changes, Date.now() + lifetime];
      const measured = measure();
      known = measured;
      measured.catch(() => {
        if (known === measured) known = undefined;
      });
    }
    const tails = await known;
    return tails.people === 0 ? undefined : thresholdOfTails(tails, thresholds, fpir);
  };
}
