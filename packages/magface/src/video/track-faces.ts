/**
 * Follows faces through the frames of a video, by their boxes and embeddings.
 *
 * Each frame's faces go to the tracks greedily, the most similar pair first: a pair fits if the boxes overlap and the embeddings
 * do not contradict it, or if the embeddings alone say that it is one person.
 *
 * @see Bochinski et al., "High-Speed Tracking-by-Detection Without Using Image Information", AVSS 2017 (overlap alone);
 *   Wojke et al., "Simple Online and Realtime Tracking with a Deep Association Metric", ICIP 2017 (with embeddings)
 */
import type { AnalyzedFace, Box } from '../face.ts';
import { compare } from '../similarity.ts';

/** A face in a frame. */
export interface TrackedFace extends Pick<AnalyzedFace, 'box' | 'embedding' | 'magnitude' | 'quality'> {}

/** What is needed to follow faces. */
export interface TrackOptions {
  /** Similarity from which two faces are one person, wherever they are. */
  readonly threshold: number;
  /** Overlap (intersection over union) from which faces of consecutive frames may be one. @default 0.3 */
  readonly overlap?: number | undefined;
  /** Least similarity of overlapping faces: below it the scene has changed. @default 0.15 */
  readonly leastSimilarity?: number | undefined;
  /** Seconds without a face after which a track ends. @default 1 */
  readonly gap?: number | undefined;
}

/** One person's faces, from when they come into view until they leave. */
export interface FaceTrack {
  /** Seconds of each face, ascending. */
  readonly times: readonly number[];
  /** (D) float32: the sum of the features, not normalized, so that better faces count more. */
  readonly template: Float32Array;
}

interface OpenTrack {
  readonly times: number[];
  readonly template: Float32Array;
  box: Box;
}

/** Follows faces frame by frame. */
export interface FaceTracker {
  /**
   * @param time - of the frame, in seconds; later than the frame before
   * @returns the track of each face
   */
  add(time: number, faces: readonly TrackedFace[]): FaceTrack[];
}

/** @returns a tracker without faces */
export function trackFaces({ threshold, overlap = 0.3, leastSimilarity = 0.15, gap = 1 }: TrackOptions): FaceTracker {
  let open: OpenTrack[] = [];
  return {
    add: (time, faces) => {
      open = open.filter(({ times }) => time - times.at(-1)! <= gap);
      const pairs = open.flatMap((track) =>
        faces.flatMap((face) => {
          const similarity = compare(track.template, face.embedding);
          const shared = overlapOf(track.box, face.box);
          const fits = (shared >= overlap && similarity >= leastSimilarity) || similarity >= threshold;
          return fits ? [{ track, face, score: similarity + shared }] : [];
        }),
      );
      pairs.sort((a, b) => b.score - a.score);
      const found = new Map<TrackedFace, OpenTrack>();
      const taken = new Set<OpenTrack>();
      for (const { track, face } of pairs) {
        if (found.has(face) || taken.has(track)) continue;
        found.set(face, track);
        taken.add(track);
      }
      return faces.map((face) => {
        const track = found.get(face) ?? newTrack(face);
        if (!found.has(face)) open.push(track);
        track.times.push(time);
        track.box = face.box;
        addTo(track.template, face.embedding);
        return track;
      });
    },
  };
}

const newTrack = ({ box, embedding }: TrackedFace): OpenTrack => ({
  times: [],
  template: new Float32Array(embedding.length),
  box,
});

function addTo(sum: Float32Array, values: Float32Array): void {
  for (let i = 0; i < sum.length; i++) sum[i]! += values[i]!;
}

/** Intersection over union. */
export function overlapOf(a: Box, b: Box): number {
  const width = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  if (width <= 0 || height <= 0) return 0;
  const shared = width * height;
  return shared / (a.width * a.height + b.width * b.height - shared);
}

/**
 * Joins tracks of one person: those whose templates are similar and that never share a frame, the most similar first.
 *
 * @returns groups of tracks
 */
export function joinTracks<Track extends FaceTrack>(tracks: readonly Track[], threshold: number): Track[][] {
  const groups = tracks.map((track) => ({
    tracks: [track],
    times: new Set(track.times),
    template: track.template.slice(),
  }));
  type Group = (typeof groups)[number];
  const mayJoin = (a: Group, b: Group): boolean => [...b.times].every((time) => !a.times.has(time));
  const pairOf = (a: Group, b: Group) => ({ a, b, similarity: compare(a.template, b.template) });
  type Pair = ReturnType<typeof pairOf>;
  const fits = ({ a, b, similarity }: Pair): boolean => similarity >= threshold && mayJoin(a, b);
  let pairs = groups.flatMap((a, at) => groups.slice(at + 1).map((b) => pairOf(a, b))).filter(fits);
  const left = new Set(groups);
  while (pairs.length > 0) {
    const { a, b } = pairs.reduce((best, pair) => (pair.similarity > best.similarity ? pair : best));
    a.tracks.push(...b.tracks);
    for (const time of b.times) a.times.add(time);
    addTo(a.template, b.template);
    left.delete(b);
    // Only pairs of the joined group change.
    const others = pairs.filter((pair) => ![pair.a, pair.b].some((group) => group === a || group === b));
    const changed = [...left].filter((group) => group !== a).map((group) => pairOf(a, group));
    pairs = [...others, ...changed.filter(fits)];
  }
  return [...left].map((group) => group.tracks);
}
