/** Finds the people of a video and the best shots of each. */
import type { Box } from '../../face.ts';
import { similarityAt } from '../../false-match-rate.ts';
import type { MagFace } from '../../infer/node/magface.ts';
import type { AnalyzeOptions } from '../../infer/pipeline.ts';
import type { Pixels, RawImage } from '../../pixels.ts';
import { type Frame, gatherPeople, type VideoChoices, type VideoPerson } from '../video-people.ts';
import { videoFrames } from './frames.ts';

/** How to read a video. */
export interface VideoOptions
  extends VideoChoices,
    Pick<AnalyzeOptions, 'minScore' | 'minFace' | 'maxFaces' | 'signal'> {
  /** Called after each frame. @param time - its seconds in the clip */
  readonly onFrame?: ((time: number) => void) | undefined;
}

/**
 * @param clip - path of a video that ffmpeg reads
 * @returns the people, those in view longest first
 * @throws {ConfigError} if there is no ffmpeg, or the model has no thresholds
 * @throws {ImageError} if the clip cannot be decoded
 */
export async function analyzeVideo(
  clip: string,
  magface: Pick<MagFace, 'stream' | 'model'>,
  { fps = 5, best = 1, fmr = 0.0001, onFrame, ...options }: VideoOptions = {},
): Promise<VideoPerson[]> {
  const threshold = similarityAt(fmr, magface.model.contract.thresholds ?? []);
  const gatherer = gatherPeople({ threshold, best });
  const frames: AsyncIterable<RawImage> = videoFrames(clip, { fps, signal: options.signal });
  for await (const { index, input, faces, error } of magface.stream(frames, options)) {
    if (error !== undefined) throw error;
    const time = index / fps;
    gatherer.add(time, faces, frameOf(input as Pixels));
    onFrame?.(time);
  }
  return gatherer.people();
}

const frameOf = (frame: Pixels): Frame => ({ ...frame, cut: (part) => cutOut(frame, part) });

function cutOut(frame: Pixels, { x, y, width, height }: Box): Pixels {
  const data = new Uint8Array(3 * width * height);
  for (let row = 0; row < height; row++) {
    const from = 3 * ((y + row) * frame.width + x);
    data.set(frame.data.subarray(from, from + 3 * width), 3 * width * row);
  }
  return { data, width, height };
}
