/** Requests of the page to the worker, and its answers. */
import type { AnalyzedFace, DetectedFace } from '../face.ts';
import type { FolderModel } from '../models/model-folder.ts';
import type { ImageSize, RawImage } from '../pixels.ts';
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
  | { readonly kind: 'open'; readonly options: OpenOptions }
  | {
      readonly kind: 'detect' | 'analyze';
      readonly name: string;
      readonly image: SentImage;
      readonly options: SentOptions;
    };

/** Description of an open analyzer. */
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

/** The answer to each kind of request. */
export type Reply = Opened | readonly DetectedFace[] | Analysis;
