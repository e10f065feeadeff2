/** The people of a video and their best shots, from the faces of its frames: for Node and the browser. */
import type { AnalyzedFace, Box } from '../face.ts';
import type { Pixels } from '../pixels.ts';
import { type FaceTrack, joinTracks, trackFaces } from './track-faces.ts';

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

/** How often to look at a video, and what to keep of it. */
export interface VideoChoices {
  /** Frames to look at per second. @default 5 */
  readonly fps?: number | undefined;
  /** Shots to keep per person, at least a second apart. @default 1 */
  readonly best?: number | undefined;
  /** Highest acceptable false match rate when tracks are joined to people. @default 0.0001 */
  readonly fmr?: number | undefined;
}

/** How to gather them. */
export interface GatherOptions {
  /** Similarity from which two faces are one person. */
  readonly threshold: number;
  /** Shots to keep per person, at least a second apart. */
  readonly best: number;
}

/** Takes frames one after another. */
export interface VideoGatherer {
  /**
   * @param time - of the frame, in seconds; later than the frame before
   * @param frame - from which shots are cut before this returns
   */
  add(time: number, faces: readonly AnalyzedFace[], frame: Frame): void;
  /** @returns the people so far, those in view longest first */
  people(): VideoPerson[];
}

/** A frame from which faces are cut. */
export interface Frame {
  readonly width: number;
  readonly height: number;
  /** @param part - in whole pixels, within the frame */
  cut(part: Box): Pixels;
}

/** @returns a gatherer without people */
export function gatherPeople({ threshold, best }: GatherOptions): VideoGatherer {
  const tracker = trackFaces({ threshold });
  const shots = new Map<FaceTrack, VideoShot[]>();
  return {
    add: (time, faces, frame) => {
      const tracks = tracker.add(time, faces);
      for (const [i, face] of faces.entries()) {
        const kept = shots.get(tracks[i]!) ?? [];
        shots.set(tracks[i]!, withShot(kept, { time, face }, { frame, best }));
      }
    },
    people: () => {
      const tracks = [...shots.keys()].filter(({ times }) => times.length >= leastFrames);
      const people = joinTracks(tracks, threshold).map((group) => personOf(group, shots, best));
      return people.sort((a, b) => b.frames - a.frames);
    },
  };
}

/** @returns the shots with a better one in the place of those near it */
function withShot(
  shots: readonly VideoShot[],
  { time, face }: Pick<VideoShot, 'time' | 'face'>,
  { frame, best }: { readonly frame: Frame; readonly best: number },
): VideoShot[] {
  const near = shots.filter((shot) => Math.abs(shot.time - time) < apart);
  const far = shots.filter((shot) => !near.includes(shot));
  const isBetter = near.every((shot) => shot.face.magnitude < face.magnitude);
  const isNeeded = far.length < best || far.some((shot) => shot.face.magnitude < face.magnitude);
  if (!isBetter || !isNeeded) return [...shots];
  return bestOf([...far, { time, face, picture: frame.cut(surroundings(frame, face)) }], best);
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

/** The box and half its size on each side, in whole pixels within the frame. */
function surroundings({ width, height }: Frame, { box }: AnalyzedFace): Box {
  const reach = Math.max(box.width, box.height);
  const [middleX, middleY] = [box.x + box.width / 2, box.y + box.height / 2];
  const [x, y] = [Math.max(0, Math.floor(middleX - reach)), Math.max(0, Math.floor(middleY - reach))];
  const right = Math.min(width, Math.ceil(middleX + reach));
  const bottom = Math.min(height, Math.ceil(middleY + reach));
  return { x, y, width: right - x, height: bottom - y };
}
