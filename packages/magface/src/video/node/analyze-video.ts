/** Finds the people of a video and the best shots of each. */
import type { AnalyzedFace } from '../../face.ts';
import { similarityAt } from '../../false-match-rate.ts';
import type { MagFace } from '../../infer/node/magface.ts';
import type { AnalyzeOptions } from '../../infer/pipeline.ts';
import type { Pixels, RawImage } from '../../pixels.ts';
import { type FaceTrack, joinTracks, trackFaces } from '../track-faces.ts';
import { videoFrames } from './frames.ts';

/** How to read a video. */
export interface VideoOptions extends Pick<AnalyzeOptions, 'minScore' | 'minFace' | 'maxFaces' | 'signal'> {
  /** Frames to look at per second. @default 5 */
  readonly fps?: number | undefined;
  /** Shots to keep per person, at least a second apart. @default 1 */
  readonly best?: number | undefined;
  /** Highest acceptable false match rate when tracks are joined to people. @default 0.0001 */
  readonly fmr?: number | undefined;
  /** Called after each frame. @param time - its seconds in the clip */
  readonly onFrame?: ((time: number) => void) | undefined;
}

/** A face of a video with its surroundings. */
export interface VideoShot {
  /** Seconds from the start. */
  readonly time: number;
  readonly face: AnalyzedFace;
  /** The face with its surroundings, cut from the frame. */
  readonly picture: Pixels;
}

/** A person of a video. */
export interface VideoPerson {
  /** When they are in view: start and end of each track, in seconds. */
  readonly seen: readonly (readonly [from: number, to: number])[];
  /** Number of frames. */
  readonly frames: number;
  /** (D) float32: the sum of the features of all frames, not normalized. */
  readonly template: Float32Array;
  /** The best first, by magnitude. */
  readonly best: readonly VideoShot[];
}

/** Shots of one person are at least so many seconds apart. */
const apart = 1;
/** A face seen in one frame alone is more often a mistake of the detector than a person. */
const leastFrames = 2;

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
  const tracker = trackFaces({ threshold });
  const shots = new Map<FaceTrack, VideoShot[]>();
  const frames: AsyncIterable<RawImage> = videoFrames(clip, { fps, signal: options.signal });
  for await (const { index, input, faces, error } of magface.stream(frames, options)) {
    if (error !== undefined) throw error;
    const time = index / fps;
    const tracks = tracker.add(time, faces);
    for (const [i, face] of faces.entries()) {
      const kept = shots.get(tracks[i]!) ?? [];
      shots.set(tracks[i]!, withShot(kept, { time, face }, { frame: input as Pixels, best }));
    }
    onFrame?.(time);
  }
  const tracks = [...shots.keys()].filter(({ times }) => times.length >= leastFrames);
  const people = joinTracks(tracks, threshold).map((group) => personOf(group, shots, best));
  return people.sort((a, b) => b.frames - a.frames);
}

/** @returns the shots with a better one in the place of those near it */
function withShot(
  shots: readonly VideoShot[],
  { time, face }: Pick<VideoShot, 'time' | 'face'>,
  { frame, best }: { readonly frame: Pixels; readonly best: number },
): VideoShot[] {
  const near = shots.filter((shot) => Math.abs(shot.time - time) < apart);
  const far = shots.filter((shot) => !near.includes(shot));
  const isBetter = near.every((shot) => shot.face.magnitude < face.magnitude);
  const isNeeded = far.length < best || far.some((shot) => shot.face.magnitude < face.magnitude);
  if (!isBetter || !isNeeded) return [...shots];
  return bestOf([...far, { time, face, picture: surroundings(frame, face) }], best);
}

const bestOf = (shots: readonly VideoShot[], n: number): VideoShot[] =>
  [...shots].sort((a, b) => b.face.magnitude - a.face.magnitude).slice(0, n);

function personOf(group: readonly FaceTrack[], shots: ReadonlyMap<FaceTrack, VideoShot[]>, best: number): VideoPerson {
  const tracks = [...group].sort((a, b) => a.times[0]! - b.times[0]!);
  const template = new Float32Array(tracks[0]!.template.length);
  for (const track of tracks) for (let i = 0; i < template.length; i++) template[i]! += track.template[i]!;
  return {
    seen: tracks.map(({ times }) => [times[0]!, times.at(-1)!]),
    frames: tracks.reduce((sum, { times }) => sum + times.length, 0),
    template,
    best: bestOf(
      tracks.flatMap((track) => shots.get(track) ?? []),
      best,
    ),
  };
}

/** The box and half its size on each side, within the frame. */
function surroundings(frame: Pixels, { box }: AnalyzedFace): Pixels {
  const reach = Math.max(box.width, box.height);
  const [middleX, middleY] = [box.x + box.width / 2, box.y + box.height / 2];
  const [left, top] = [Math.max(0, Math.floor(middleX - reach)), Math.max(0, Math.floor(middleY - reach))];
  const right = Math.min(frame.width, Math.ceil(middleX + reach));
  const bottom = Math.min(frame.height, Math.ceil(middleY + reach));
  const [width, height] = [right - left, bottom - top];
  const data = new Uint8Array(3 * width * height);
  for (let y = 0; y < height; y++) {
    const from = 3 * ((top + y) * frame.width + left);
    data.set(frame.data.subarray(from, from + 3 * width), 3 * width * y);
  }
  return { data, width, height };
}
