/** The three ways a detector searches an image: all levels of views, closer looks at a face, quarter turns. */
import type { Box, DetectedFace } from '../face.ts';
import type { ImageSize } from '../pixels.ts';
import type { View } from './letterbox.ts';
import { bySureness, type Looker, look } from './look.ts';
import { blended, iou, mergeFaces, withoutDoubles } from './nms.ts';
import type { Scene } from './scene.ts';

/** Search options. */
export interface Search {
  /** Minimum score of returned faces. */
  readonly minScore: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * @param levels - from {@link planViews}
 * @returns faces of the unturned image: confident ones first, then those of coarser levels
 */
export async function search(
  looker: Looker,
  scene: Scene,
  levels: readonly (readonly View[])[],
  { minScore, signal }: Search,
): Promise<DetectedFace[]> {
  const { overlap } = looker.decoder;
  const found: DetectedFace[] = [];
  for (const views of levels) {
    const here: DetectedFace[] = [];
    for (const view of views) {
      signal?.throwIfAborted();
      // A tile may cut off faces larger than its overlap; coarser levels have seen those.
      const largest = views.length === 1 ? Infinity : (overlap * Math.min(view.width, view.height)) / view.scale;
      const faces = await look(looker, scene, view, { minScore });
      here.push(...faces.filter(({ box }) => Math.max(box.width, box.height) <= largest));
    }
    found.push(...mergeFaces(here));
  }
  return withoutDoubles(bySureness(found, looker.decoder).flat());
}

/**
 * The search ends after this many refusals in a row by closer looks, since the rest score even lower. Without a limit,
 * a minimum score of 0 would take minutes per photo.
 */
const enough = 100;

/** @returns the faces that closer looks confirm and refine, or all faces if the decoder needs no looks */
export async function confirmed(
  looker: Looker,
  scene: Scene,
  found: readonly DetectedFace[],
  { frame, signal }: { readonly frame: ImageSize; readonly signal: AbortSignal | undefined },
): Promise<DetectedFace[]> {
  if (looker.decoder.closerLooks.length === 0) return [...found];
  const faces: DetectedFace[] = [];
  let refused = 0; // in a row
  for (const face of found) {
    signal?.throwIfAborted();
    const closer = await lookAgain(looker, scene, face, frame);
    refused = closer === undefined ? refused + 1 : 0;
    if (closer !== undefined) faces.push(closer);
    if (refused === enough) break;
  }
  return withoutDoubles(faces);
}

/** The mean face of closer looks, or undefined if they see none. */
async function lookAgain(
  looker: Looker,
  scene: Scene,
  face: DetectedFace,
  frame: ImageSize,
): Promise<DetectedFace | undefined> {
  const { closerLooks, confirmed: least } = looker.decoder;
  const looks: DetectedFace[] = [];
  for (const share of closerLooks) {
    const found = await look(looker, scene, viewOf(face.box, frame, share), { minScore: least / 2 });
    const same = found.find(({ box }) => iou(box, face.box) > 0.3);
    if (same !== undefined) looks.push(same);
  }
  const mean = looks.reduce((sum, { detection }) => sum + detection, 0) / closerLooks.length;
  return mean >= least ? { ...blended(looks), detection: face.detection } : undefined;
}

/**
 * @param view - the whole image
 * @returns faces of an image that is sideways or upside down, as phones write them, from the best turn
 */
export async function searchTurned(
  looker: Looker,
  scene: Scene,
  view: View,
  signal: AbortSignal | undefined,
): Promise<DetectedFace[]> {
  const least = looker.decoder.minTurnedScore;
  let best: DetectedFace[] = [];
  for (const turn of [180, 90, 270] as const) {
    signal?.throwIfAborted();
    const found = await look(looker, scene, view, { minScore: least, turn });
    const faces = found.filter(({ detection }) => detection >= least);
    if (sumOfScores(faces) > sumOfScores(best)) best = faces.map((face) => ({ ...face, turned: turn }));
  }
  return best;
}

/** Ranks a turn: many faces, or a few confident ones. */
export const sumOfScores = (faces: readonly DetectedFace[]): number =>
  faces.reduce((sum, face) => sum + face.detection, 0);

/**
 * A view centred on the face, which fills `share` of its width. It lies on whole pixels, so that runtimes that differ
 * in the last bits still see the same pixels: Node and browsers then agree to a few 1e-5.
 */
function viewOf(box: Box, { width, height }: ImageSize, share: number): View {
  const scale = (share * width) / Math.max(1, Math.round(Math.max(box.width, box.height)));
  const [centreX, centreY] = [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)];
  return { x: centreX - width / scale / 2, y: centreY - height / scale / 2, scale, width, height };
}
