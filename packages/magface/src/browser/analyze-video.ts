/// <reference lib="dom" preserve="true" />
/** Finds the people of a video and the best shots of each, in a web page. */
import type { Box } from '../face.ts';
import { similarityAt } from '../false-match-rate.ts';
import type { AnalyzeOptions } from '../infer/pipeline.ts';
import { type Pixels, rgbPixels } from '../pixels.ts';
import { type Frame, gatherPeople, type VideoChoices, type VideoPerson } from '../video/video-people.ts';
import type { FrameSource } from './clip.ts';
import type { MagFace } from './magface.ts';
import { openClip } from './open-clip.ts';

/** How to read a video. */
export interface VideoOptions
  extends VideoChoices,
    Pick<AnalyzeOptions, 'minScore' | 'minFace' | 'maxFaces' | 'signal'> {
  /**
   * What frames come from. `webcodecs` needs mediabunny and a browser with `VideoDecoder`; `auto` takes it if it can, else the
   * video element.
   *
   * @default 'auto'
   */
  readonly source?: FrameSource | 'auto' | undefined;
  /**
   * Called after each frame.
   *
   * @param time - its seconds in the clip
   * @param duration - seconds of the whole clip
   * @param source - what frames come from
   */
  readonly onFrame?: ((time: number, duration: number, source: FrameSource) => void) | undefined;
}

/**
 * Like `analyzeVideo` of Node, with frames that the browser decodes.
 *
 * @param clip - a file of a format that the browser decodes or plays
 * @returns the people, those in view longest first
 * @throws {ConfigError} if the model has no thresholds, or `source` is `webcodecs` and that is not available
 * @throws {ImageError} if the browser cannot read the clip
 */
export async function analyzeVideo(
  clip: Blob,
  magface: Pick<MagFace, 'stream' | 'model'>,
  { fps = 5, best = 1, fmr = 0.0001, source = 'auto', onFrame, ...options }: VideoOptions = {},
): Promise<VideoPerson[]> {
  const threshold = similarityAt(fmr, magface.model.contract.thresholds ?? []);
  const gatherer = gatherPeople({ threshold, best });
  const opened = await openClip(clip, { source, signal: options.signal });
  try {
    for await (const { index, input, faces, error } of magface.stream(opened.frames(fps), options)) {
      if (error !== undefined) throw error;
      gatherer.add(index / fps, faces, frameOf(input));
      input.close();
      onFrame?.(index / fps, opened.duration, opened.source);
    }
  } finally {
    opened.close();
  }
  return gatherer.people();
}

const frameOf = (frame: ImageBitmap): Frame => ({
  width: frame.width,
  height: frame.height,
  cut: (part) => cutOut(frame, part),
});

function cutOut(frame: ImageBitmap, { x, y, width, height }: Box): Pixels {
  const context = new OffscreenCanvas(width, height).getContext('2d', { willReadFrequently: true })!;
  context.drawImage(frame, -x, -y);
  return rgbPixels(context.getImageData(0, 0, width, height));
}
