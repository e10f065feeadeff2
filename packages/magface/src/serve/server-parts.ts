/** Parts of a server. */
import type { SearchableGallery } from '../gallery/gallery.ts';
import type { InferenceQueue } from './inference-queue.ts';
import type { Metrics } from './metrics.ts';

export interface ServerParts {
  readonly inference: InferenceQueue;
  readonly metrics: Metrics;
  /** People by their faces. @default none: no such routes */
  readonly gallery?: SearchableGallery | undefined;
  /** Log of JSON lines, one or two per request, without images or embeddings. @default none */
  readonly logs?: { readonly level: string; readonly stream: NodeJS.WritableStream };
  /** The page's files. @default the package's own */
  readonly pageFolder?: string;
}
