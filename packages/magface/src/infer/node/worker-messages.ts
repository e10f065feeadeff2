/** Messages between a pool and its worker threads. */
import type { AnalyzedFace } from '../../face.ts';
import type { ImageSize } from '../../pixels.ts';
import type { AnalyzeOptions } from '../pipeline.ts';
import type { SentError } from '../sent-error.ts';
import type { LoadedModels } from './engine.ts';
import type { ImageInput, ImageLimits } from './read-image.ts';

/** Start-up data of a worker. */
export interface WorkerSetup {
  readonly models: LoadedModels;
  readonly limits: ImageLimits | undefined;
}

/** An image that can be sent; a URL is sent as text. */
export type SentInput = Exclude<ImageInput, URL> | { readonly address: string };

/** Options of a task. The abort signal stays with the caller. */
export type TaskOptions = Omit<AnalyzeOptions, 'signal'>;

/** Result of one image. */
export type TaskOutcome =
  | { readonly image: ImageSize; readonly faces: readonly AnalyzedFace[]; readonly error?: never }
  | { readonly error: SentError };

/** Message to a worker. */
export type ToWorker =
  | {
      readonly kind: 'task';
      readonly id: number;
      readonly inputs: readonly SentInput[];
      readonly options: TaskOptions;
    }
  | { readonly kind: 'abort'; readonly id: number };

/** Message from a worker. `failed` without an id means that the worker could not start. */
export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly id: number; readonly outcomes: readonly TaskOutcome[] }
  | { readonly kind: 'failed'; readonly id: number | undefined; readonly error: SentError };

/** @returns the same values in a buffer of their own, because a message copies the whole buffer behind a view */
export function ownMemory<Values extends Uint8Array | Uint8ClampedArray | Float32Array>(values: Values): Values {
  return values.byteLength === values.buffer.byteLength ? values : (values.slice() as Values);
}
