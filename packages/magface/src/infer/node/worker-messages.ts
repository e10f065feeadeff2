/** What a pool and its worker threads say to each other. */
import type { AnalyzedFace } from '../../face.ts';
import type { ImageSize } from '../../pixels.ts';
import type { AnalyzeOptions } from '../pipeline.ts';
import type { SentError } from '../sent-error.ts';
import type { LoadedModels } from './engine.ts';
import type { ImageInput, ImageLimits } from './read-image.ts';

/** What a worker starts with. */
export interface WorkerSetup {
  readonly models: LoadedModels;
  readonly limits: ImageLimits | undefined;
}

/** An image that can cross: a URL goes as its text. */
export type SentInput = Exclude<ImageInput, URL> | { readonly address: string };

/** How the images of a task are to be looked at; the signal stays with the caller. */
export type TaskOptions = Omit<AnalyzeOptions, 'signal'>;

/** What became of one image. */
export type TaskOutcome =
  | { readonly image: ImageSize; readonly faces: readonly AnalyzedFace[]; readonly error?: never }
  | { readonly error: SentError };

/** To a worker. */
export type ToWorker =
  | {
      readonly kind: 'task';
      readonly id: number;
      readonly inputs: readonly SentInput[];
      readonly options: TaskOptions;
    }
  | { readonly kind: 'abort'; readonly id: number };

/** From a worker; `failed` without an id is a worker that could not start. */
export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'done'; readonly id: number; readonly outcomes: readonly TaskOutcome[] }
  | { readonly kind: 'failed'; readonly id: number | undefined; readonly error: SentError };

/** @returns the same values in memory of their own: a message carries the whole buffer that a view is part of */
export function ownMemory<Values extends Uint8Array | Uint8ClampedArray | Float32Array>(values: Values): Values {
  return values.byteLength === values.buffer.byteLength ? values : (values.slice() as Values);
}
