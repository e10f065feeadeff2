/// <reference lib="dom" preserve="true" />
/** A clip that is open for reading frames, in either of two ways. */

/** What frames of a clip come from: the browser's decoder (`webcodecs`), or a video element that is moved from time to time. */
export type FrameSource = 'webcodecs' | 'element';

/** A clip from which frames are read. */
export interface OpenClip {
  /** Changes to `element` if the decoder fails on the way. */
  readonly source: FrameSource;
  /** Seconds. */
  readonly duration: number;
  /**
   * @param fps - frames per second
   * @param from - number of the first frame. @default 0
   * @returns frames at from / fps, (from + 1) / fps, ... before the end, upright; the caller closes them
   */
  frames(fps: number, from?: number): AsyncGenerator<ImageBitmap>;
  close(): void;
}

/** @returns what errors call a clip */
export const clipName = (clip: Blob): string => (clip instanceof File ? clip.name : `the clip of ${clip.size} bytes`);
