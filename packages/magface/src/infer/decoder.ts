/** Properties of a family of detectors. */
import type { DetectedFace } from '../face.ts';
import type { ImageSize } from '../pixels.ts';

/** Parameters and decoder of one family. */
export interface Decoder {
  /** Largest input in pixels, or its only size. */
  readonly frame: ImageSize;
  /** Sides may be any multiple of this up to `frame`; undefined if the size is fixed. */
  readonly multiple: number | undefined;
  /** Black margin around the image, as a share of its longer side. */
  readonly margin: number;
  /** Side of the smallest face that it finds reliably, in pixels of its input. */
  readonly reach: number;
  /** Overlap of tiles, as a share. */
  readonly overlap: number;
  /** Default minimum score of a face. */
  readonly minScore: number;
  /** An image with a face of this score is upright. Others are searched again in quarter turns. */
  readonly certainScore: number;
  /** Minimum score in a turned image: three more looks give more false positives. */
  readonly minTurnedScore: number;
  /** Whether its boxes for one face are averaged. */
  readonly blend: boolean;
  /** A face is looked at again at these shares of the input, which refines it and removes false positives. */
  readonly closerLooks: readonly number[];
  /** Minimum mean score of closer looks. */
  readonly confirmed: number;
  /** @returns faces in the input's pixels, with duplicates */
  decode(outputs: (name: string) => Float32Array, input: ImageSize, minScore: number): DetectedFace[];
}
