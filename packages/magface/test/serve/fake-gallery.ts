/** A gallery that refuses whatever a test does not define. */
import type { SearchableGallery } from '../../src/gallery/gallery.ts';

const refuse = (): Promise<never> => Promise.reject(new Error('Expected no question to the gallery.'));

export const fakeGallery = (defined: Partial<SearchableGallery> = {}): SearchableGallery => ({
  enrol: refuse,
  remove: refuse,
  removeFace: refuse,
  search: refuse,
  similarityTo: refuse,
  count: refuse,
  list: refuse,
  read: refuse,
  // biome-ignore lint/correctness/useYield: it throws
  everybody: async function* () {
    await refuse();
  },
  rename: refuse,
  merge: refuse,
  forgetExpired: refuse,
  changes: 0,
  ...defined,
});
