/** Messages between the page and the worker. */
import type { AnalyzedFace, DetectedFace } from '../face.ts';
import type { SentError } from '../infer/sent-error.ts';
import type { FolderModel } from '../models/model-folder.ts';
import type { ImageSize, RawImage } from '../pixels.ts';
import type { LoadProgress } from './models.ts';
import type { Device } from './session.ts';

/** An image that can be sent to a worker. */
export type SentImage = Blob | ImageBitmap | VideoFrame | ImageData | RawImage;

/** Options of a call that can be sent; the abort signal stays on the page. */
export interface SentOptions {
  readonly aligned?: boolean | undefined;
  readonly flip?: boolean | undefined;
  readonly minScore?: number | undefined;
  readonly minFace?: number | undefined;
  readonly maxFaces?: number | undefined;
}

/** The load options that can be sent. */
export interface OpenOptions {
  /** Absolute URL of the folder, ending in a slash. */
  readonly folder: string;
  readonly model?: string | undefined;
  readonly detector?: string | undefined;
  readonly device: Device | 'auto';
  readonly threads?: number | undefined;
  readonly batchSize?: number | undefined;
  readonly pixels?: number | undefined;
}

export type Request =
  | { readonly id: number; readonly kind: 'open'; readonly options: OpenOptions }
  | {
      readonly id: number;
      readonly kind: 'detect' | 'analyze';
      readonly name: string;
      readonly image: SentImage;
      readonly options: SentOptions;
    }
  | { readonly id: number; readonly kind: 'abort' };

/** Description of an open engine. */
export interface Opened {
  readonly model: FolderModel;
  readonly detector: FolderModel;
  readonly device: Device;
  readonly threads: number;
}

export interface Analysis {
  readonly image: ImageSize;
  readonly faces: readonly AnalyzedFace[];
}

/** The reply to each kind of request. */
export interface Answers {
  readonly open: Opened;
  readonly detect: readonly DetectedFace[];
  readonly analyze: Analysis;
}

export type Reply =
  | { readonly id: number; readonly kind: 'progress'; readonly progress: LoadProgress }
  | { readonly id: number; readonly kind: 'done'; readonly value: Answers[keyof Answers] }
  | { readonly id: number; readonly kind: 'failed'; readonly error: SentError };
