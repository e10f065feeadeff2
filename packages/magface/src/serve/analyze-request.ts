/** Requests to inference, and its answers. */
import type { AnalyzedFace } from '../face.ts';
import type { LoadedModel } from '../models/load-model.ts';
import type { ImageSize } from '../pixels.ts';

/** Options for one image; aligned faces with equal options share a batch. */
export interface AnalyzeRequest {
  /** The image is an aligned 112x112 face. */
  readonly aligned: boolean;
  /** Minimum confidence of a face, 0 to 1; undefined for the detector's own. */
  readonly minScore: number | undefined;
  /** Side of the smallest face wanted, in pixels; undefined for the default. */
  readonly minFace: number | undefined;
  /** Maximum faces, largest first. */
  readonly maxFaces: number;
}

/** A face in an answer, without pixels. */
export type ServedFace = Omit<AnalyzedFace, 'crop' | 'image' | 'mouth' | 'alignment'>;

export interface ServedImage {
  readonly image: ImageSize;
  /** Largest first. */
  readonly faces: readonly ServedFace[];
}

/** The models without their bytes. */
export interface ServedModels {
  readonly recogniser: Omit<LoadedModel<'recogniser'>, 'bytes'>;
  readonly detector: Omit<LoadedModel<'detector'>, 'bytes'> | undefined;
}
