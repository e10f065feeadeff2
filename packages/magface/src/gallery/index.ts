/**
 * Stores and searches people by their faces, in a folder or in PostgreSQL: `import { openGallery } from 'magface/gallery'`.
 *
 * The template of a person is the sum of the embeddings, so that a good face has more weight than a poor one. A gallery
 * belongs to one model and refuses all others.
 *
 * @example Enrol people, then identify a face
 * ```ts
 * import { MagFace } from 'magface';
 * import { enrollable, identify, openGallery } from 'magface/gallery';
 *
 * await using magface = await MagFace.load();
 * await using gallery = await openGallery('people', magface.model);
 * for (const person of ['ann', 'bea']) {
 *   const image = `${person}.jpg`;
 *   const face = enrollable(await magface.analyze(image), { image, largest: true });
 *   await gallery.enrol(person, face);
 * }
 * const [seen] = await magface.analyze('ann.jpg');
 * if (seen === undefined) throw new Error('Expected a face.');
 * const { matches, fmr, expectedFalseHits } = await identify(gallery, seen.embedding, magface.model.contract);
 * for (const { person, similarity, same } of matches) console.log(person, similarity, same);
 * console.log(`at a false match rate of ${fmr}; expected false matches of a stranger: ${expectedFalseHits}`);
 * ```
 *
 * @module
 */

export {
  type ConfusingFace,
  checkGallery,
  type GalleryCheck,
  type PoorPerson,
  type ProbableTwins,
} from './check-gallery.ts';
export { type Enrolment, expectConsistent } from './enrolment-doubt.ts';
export { defaultMinQuality, enrollable, type GatedFace, type GateOptions, minQualityOf } from './enrolment-gate.ts';
export { Gallery, type GalleryOptions } from './gallery.ts';
export { type CopiedPeople, copyPeople, exportLines, readGalleryFile } from './gallery-file.ts';
export { parseGalleryKey, readGalleryKey } from './gallery-key.ts';
export type {
  Deletion,
  DeletionReason,
  EnrolledFace,
  EnrolOptions,
  GalleryCount,
  GalleryFace,
  GalleryMatch,
  GalleryModel,
  ListedPerson,
  SearchOptions,
  StoredFace,
  StoredPerson,
} from './gallery-types.ts';
export { type Identified, type IdentifiedMatch, type IdentifyOptions, identify } from './identify.ts';
export type { ComparedPerson } from './nearest-others.ts';
export { openGallery } from './open-gallery.ts';
export { type OpenSetThreshold, openSetThreshold } from './open-set.ts';
export type { Protection } from './vault.ts';
