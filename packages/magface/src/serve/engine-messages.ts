/** What the service and its inference thread say to each other. */
import type { AnalyzedFace } from '../face.ts';
import type { LoadOptions } from '../infer/node/magface.ts';
import type { ImageSize } from '../infer/pipeline.ts';
import type { LoadedModel } from '../models/load-model.ts';

/** How one image is to be looked at; images asked for alike share a batch. */
export interface AnalyzeRequest {
  /** The image is a face of 112x112 already. */
  readonly aligned: boolean;
  /** Least confidence of a detection, 0 to 1; undefined for the detector's own. */
  readonly minScore: number | undefined;
  /** Only so many, the largest. */
  readonly maxFaces: number;
}

/** What is told of a face: all but its pixels. */
export type ServedFace = Omit<AnalyzedFace, 'crop' | 'mouth'>;

export interface ServedImage {
  readonly image: ImageSize;
  /** Largest first. */
  readonly faces: readonly ServedFace[];
}

/** The models without their bytes. */
export interface EngineModels {
  readonly recogniser: Omit<LoadedModel<'recogniser'>, 'bytes'>;
  readonly detector: Omit<LoadedModel<'detector'>, 'bytes'> | undefined;
}

/** What the thread starts with. */
export type EngineSetup = Pick<
  LoadOptions,
  'model' | 'detector' | 'engine' | 'threads' | 'offline' | 'cacheDir' | 'limits' | 'batchSize'
>;

/** To the thread: one batch. */
export interface BatchMessage {
  readonly images: readonly Uint8Array[];
  readonly request: AnalyzeRequest;
}

/** An error that has crossed between threads: classes do not. */
export interface SentError {
  readonly name: string;
  /** `unexpected` for a defect, which is none of the typed tree. */
  readonly code: string;
  readonly message: string;
  /** Where a defect happened, for the log; errors of the typed tree say all there is to say. */
  readonly stack?: string | undefined;
}

/** One image of the batch that the thread works on. */
export interface ServedOutcome {
  readonly index: number;
  readonly outcome: ServedImage | { readonly error: SentError };
}

/** From the thread; `done` when a batch has no more to come, `failed` when it ends as a whole. */
export type EngineMessage =
  | { readonly type: 'ready'; readonly models: EngineModels }
  | { readonly type: 'images'; readonly images: readonly ServedOutcome[]; readonly done: boolean }
  | { readonly type: 'failed'; readonly error: SentError };
