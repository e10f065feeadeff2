/** What the service asks of inference, and what it is told. */
import type { AnalyzedFace } from '../face.ts';
import type { LoadedModel } from '../models/load-model.ts';
import type { ImageSize } from '../pixels.ts';

/** How one image is to be looked at; aligned faces asked for alike share a batch. */
export interface AnalyzeRequest {
  /** The image is a face of 112x112 already. */
  readonly aligned: boolean;
  /** Least confidence of a detection, 0 to 1; undefined for the detector's own. */
  readonly minScore: number | undefined;
  /** Side of the smallest face wanted, in pixels; undefined for the default. */
  readonly minFace: number | undefined;
  /** Only so many, the largest. */
  readonly maxFaces: number;
}

/** What is told of a face: all but its pixels. */
export type ServedFace = Omit<AnalyzedFace, 'crop' | 'mouth' | 'alignment'>;

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
