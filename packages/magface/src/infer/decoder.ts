/** What a family of detectors tells of itself. */
import type { DetectedFace } from '../face.ts';
import type { ImageSize } from '../pixels.ts';

/** What is particular to one family of detectors. */
export interface Decoder {
  /** Largest input in pixels, or its only size. */
  readonly frame: ImageSize;
  /** Its sides may be any multiple of this up to `frame`; undefined where the size is fixed. */
  readonly multiple: number | undefined;
  /** Black margin around the whole image, as a share of the image's longer side. */
  readonly margin: number;
  /** Side of the smallest face that it finds reliably, in pixels of its input. */
  readonly reach: number;
  /** Share of a tile by which tiles overlap. */
  readonly overlap: number;
  /** Least score of a face when the caller names none. */
  readonly minScore: number;
  /** An image with a face of this score is upright. Another one is turned by quarters and looked at again. */
  readonly certainScore: number;
  /** Least score of a face in an image that was turned: three more looks find more that is no face. */
  readonly minTurnedScore: number;
  /** Whether its boxes for one face are averaged. */
  readonly blend: boolean;
  /** A face is looked at again so that it fills these shares of the input, which refines it and weeds out chance finds. */
  readonly closerLooks: readonly number[];
  /** Least mean score of the closer looks. */
  readonly confirmed: number;
  /** @returns faces in the input's pixels, doubles included */
  decode(outputs: (name: string) => Float32Array, input: ImageSize, minScore: number): DetectedFace[];
}
