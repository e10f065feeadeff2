/** Parts of the routes about people. */
import type { SearchableGallery } from '../gallery/gallery.ts';
import type { InferenceQueue } from './inference-queue.ts';

export interface GalleryParts {
  readonly inference: InferenceQueue;
  readonly gallery: SearchableGallery;
}
