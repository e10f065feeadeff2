/** Parts of a server. */
import type { People } from '../gallery/gallery.ts';
import type { Engine } from './engine.ts';
import type { Metrics } from './metrics.ts';

export interface ServerParts {
  readonly engine: Engine;
  readonly metrics: Metrics;
  /** People by their faces. @default none: no such routes */
  readonly gallery?: People | undefined;
  /** Log of JSON lines, one or two per request, without images or embeddings. @default none */
  readonly logs?: { readonly level: string; readonly stream: NodeJS.WritableStream };
  /** The page's files. @default the package's own */
  readonly pageFolder?: string;
}
