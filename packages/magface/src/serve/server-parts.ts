/** What a server is made of. */
import type { People } from '../gallery/gallery.ts';
import type { Engine } from './engine.ts';
import type { Metrics } from './metrics.ts';

export interface ServerParts {
  readonly engine: Engine;
  readonly metrics: Metrics;
  /** People by their faces. @default none: their routes are not there */
  readonly gallery?: People | undefined;
  /** Where lines of JSON go, one or two a request; they hold neither images nor embeddings. @default nowhere */
  readonly logs?: { readonly level: string; readonly stream: NodeJS.WritableStream };
  /** The page's files. @default where the package has them */
  readonly pageFolder?: string;
}
