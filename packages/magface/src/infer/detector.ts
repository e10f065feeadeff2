/**
 * Finds faces in an image of any size: the network runs on regions one by one, the family's decoder reads the outputs, and
 * faces in several regions are kept once. Options only filter: a face has the same numbers for any `minScore`,
 * `minFace` and `maxFaces`, since the coarsest region that shows it decides.
 */

import { ConfigError } from '../errors.ts';
import type { Box, DetectedFace } from '../face.ts';
import type { DetectorContract } from '../models/contract.ts';
import type { ImageSize, Pixels } from '../pixels.ts';
import { blazeface } from './blazeface.ts';
import type { Decoder } from './decoder.ts';
import { blended, bySureness, iou, type Looker, look, mergeFaces, withoutDoubles } from './look.ts';
import { type Region, type Scene, sceneOf } from './scene.ts';
import { closable, type Session } from './session.ts';
import { yunet } from './yunet.ts';

const decoders: Record<DetectorContract['decoder'], Decoder> = { yunet, blazeface };

export interface DetectorOptions {
  /** The model's name, for errors. */
  readonly name: string;
}

/** Finds faces; owns its session. */
export interface Detector {
  /** @returns the faces, largest first */
  detect(image: Pixels | Scene, options?: DetectOptions): Promise<DetectedFace[]>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** @throws {ModelError} `model_run_failed` from `detect` if the network does not match the contract */
export function createDetector(own: Session, contract: DetectorContract, { name }: DetectorOptions): Detector {
  const session = closable(own);
  const decoder = decoders[contract.decoder];
  const looker: Looker = { session, contract, decoder, name };
  const { width, height } = contract.input;
  const frame = width === undefined || height === undefined ? decoder.frame : { width, height };
  const multiple = frame === decoder.frame ? decoder.multiple : undefined;

  const detect = async (image: Pixels | Scene, options: DetectOptions = {}): Promise<DetectedFace[]> => {
    const { minScore = decoder.minScore, minFace, maxFaces, signal } = options;
    expectDetectOptions(options);
    const scene = sceneOf(image);
    const levels = planRegions(scene, { ...decoder, frame, multiple, minFace: minFace ?? defaultMinFace(scene) });
    const found = await search(looker, scene, levels, { minScore, signal });
    const upright = await confirmed(looker, scene, found, { frame, signal });
    // Only confident faces decide the orientation, for any minimum score of the caller. An upside-down face is
    // sometimes found with a low score.
    const [sure] = bySureness(upright, decoder);
    const isCertain = sure.some(({ detection }) => detection >= decoder.certainScore);
    const lying = isCertain ? [] : await searchTurned(looker, scene, levels[0]![0]!, signal);
    return (sumOfScores(lying) > sumOfScores(sure) ? lying : upright)
      .filter(({ detection }) => detection >= minScore)
      .filter(({ box }) => minFace === undefined || Math.max(box.width, box.height) >= minFace)
      .sort((a, b) => b.box.width * b.box.height - a.box.width * a.box.height)
      .slice(0, maxFaces);
  };

  return { detect, [Symbol.asyncDispose]: () => session.release() };
}

/** @throws {ConfigError} naming the option that is out of range */
export function expectDetectOptions({ minScore, minFace, maxFaces }: DetectOptions): void {
  const expect = (key: string, value: number | undefined, fits: (value: number) => boolean, what: string): void => {
    if (value === undefined || (typeof value === 'number' && fits(value))) return;
    throw new ConfigError(key, { expected: `${what} as ${key}`, received: value, remedy: 'correct the option' });
  };
  expect('minScore', minScore, (v) => v >= 0 && v <= 1, 'a number from 0 to 1');
  expect('minFace', minFace, (v) => v > 0 && v < Number.POSITIVE_INFINITY, 'pixels above 0');
  expect('maxFaces', maxFaces, (v) => Number.isInteger(v) && v > 0, 'a whole number above 0');
}

/** Options for detecting faces. */
export interface DetectOptions {
  /** Minimum confidence of a face, 0 to 1. @default the detector's own */
  readonly minScore?: number | undefined;
  /** Minimum side of a face, in pixels of the image; values below the default take longer. @default a 25th of the image's shorter side */
  readonly minFace?: number | undefined;
  /** Maximum faces per image, largest first. @default all */
  readonly maxFaces?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Search options. */
interface Search {
  /** Minimum score of returned faces. */
  readonly minScore: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * @param levels - from {@link planRegions}
 * @returns faces of the unturned image: confident ones first, then those of coarser levels
 */
async function search(
  looker: Looker,
  scene: Scene,
  levels: readonly (readonly Region[])[],
  { minScore, signal }: Search,
): Promise<DetectedFace[]> {
  const { overlap } = looker.decoder;
  const found: DetectedFace[] = [];
  for (const regions of levels) {
    const here: DetectedFace[] = [];
    for (const region of regions) {
      signal?.throwIfAborted();
      // A tile may cut off faces larger than its overlap; coarser levels have seen those.
      const largest =
        regions.length === 1 ? Infinity : (overlap * Math.min(region.width, region.height)) / region.scale;
      const faces = await look(looker, scene, region, { minScore });
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
async function confirmed(
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
    const found = await look(looker, scene, regionAround(face.box, frame, share), { minScore: least / 2 });
    const same = found.find(({ box }) => iou(box, face.box) > 0.3);
    if (same !== undefined) looks.push(same);
  }
  const mean = looks.reduce((sum, { detection }) => sum + detection, 0) / closerLooks.length;
  return mean >= least ? { ...blended(looks), detection: face.detection } : undefined;
}

/**
 * @param region - the whole image
 * @returns faces of an image that is sideways or upside down, as phones write them, from the best turn
 */
async function searchTurned(
  looker: Looker,
  scene: Scene,
  region: Region,
  signal: AbortSignal | undefined,
): Promise<DetectedFace[]> {
  const least = looker.decoder.minTurnedScore;
  let best: DetectedFace[] = [];
  for (const turn of [180, 90, 270] as const) {
    signal?.throwIfAborted();
    const found = await look(looker, scene, region, { minScore: least, turn });
    const faces = found.filter(({ detection }) => detection >= least);
    if (sumOfScores(faces) > sumOfScores(best)) best = faces.map((face) => ({ ...face, turned: turn }));
  }
  return best;
}

/** Ranks a turn: many faces, or a few confident ones. */
const sumOfScores = (faces: readonly DetectedFace[]): number => faces.reduce((sum, face) => sum + face.detection, 0);

/**
 * A region centred on the face, which fills `share` of its width. It lies on whole pixels, so that runtimes that differ
 * in the last bits still see the same pixels: Node and browsers then agree to a few 1e-5.
 */
function regionAround(box: Box, { width, height }: ImageSize, share: number): Region {
  const scale = (share * width) / Math.max(1, Math.round(Math.max(box.width, box.height)));
  const [centreX, centreY] = [Math.round(box.x + box.width / 2), Math.round(box.y + box.height / 2)];
  return { x: centreX - width / scale / 2, y: centreY - height / scale / 2, scale, width, height };
}

export interface RegionOptions {
  /** Largest input of the network in pixels, or its only size. */
  readonly frame: ImageSize;
  /** Sides may be any multiple of this up to `frame`; undefined if `frame` is the only size. */
  readonly multiple?: number | undefined;
  /** Width of the black margin around the whole image, as a share of the image's longer side. */
  readonly margin: number;
  /** Side of the smallest face that the network finds reliably, in pixels of its input. */
  readonly reach: number;
  /** Minimum side of a face, in pixels of the image. */
  readonly minFace: number;
  /** Overlap of tiles, as a share of a tile: faces up to that size lie whole in one of them. */
  readonly overlap: number;
}

/** The smallest face looked for by default, as a share of the image's shorter side. */
const defaultShare = 1 / 25;

/** @returns the default minimum side of a face, in pixels of the image */
export const defaultMinFace = ({ width, height }: ImageSize): number => Math.min(width, height) * defaultShare;

/** A level within this factor of the last adds nothing, at almost its cost. */
const nearlyAll = 1.25;

/**
 * Plans the regions. The first shows the whole image with a black margin, so that faces at its border are seen whole. The
 * second has half the scale, for faces that fill the image and so are larger than the network can see. If smaller faces
 * are wanted than the first can show, finer levels follow: each doubles the scale and cuts the image into overlapping
 * tiles.
 *
 * @returns levels, the most trusted first
 */
export function planRegions(image: ImageSize, options: RegionOptions): Region[][] {
  const { frame, margin, reach, minFace } = options;
  const longer = Math.max(image.width, image.height);
  const fit = Math.min(
    frame.width / (image.width + 2 * margin * longer),
    frame.height / (image.height + 2 * margin * longer),
  );
  const whole = Math.min(1, fit); // never enlarged
  const levels = [[wholeRegion(image, whole, options)], [wholeRegion(image, whole / 2, options)]];
  const finest = reach / minFace;
  for (let scale = whole; scale * nearlyAll < finest; ) {
    scale = scale * 2 * nearlyAll < finest ? scale * 2 : finest;
    levels.push(tilesAt(image, scale, options));
  }
  return levels;
}

/** The whole image centred in a frame just large enough for it and its margin. */
function wholeRegion(image: ImageSize, scale: number, { frame, multiple, margin }: RegionOptions): Region {
  const border = 2 * margin * scale * Math.max(image.width, image.height);
  const size = (length: number, most: number): number =>
    multiple === undefined ? most : Math.min(most, Math.ceil((length * scale + border) / multiple - 1e-6) * multiple);
  const [width, height] = [size(image.width, frame.width), size(image.height, frame.height)];
  return { x: (image.width - width / scale) / 2, y: (image.height - height / scale) / 2, scale, width, height };
}

function tilesAt(image: ImageSize, scale: number, { frame, multiple, overlap }: RegionOptions): Region[] {
  const size = (length: number, most: number): number =>
    multiple === undefined ? most : Math.min(most, Math.ceil((length * scale) / multiple) * multiple);
  const [width, height] = [size(image.width, frame.width), size(image.height, frame.height)];
  const columns = starts(image.width, width / scale, overlap);
  const rows = starts(image.height, height / scale, overlap);
  return rows.flatMap((y) => columns.map((x) => ({ x, y, scale, width, height })));
}

/** Starts of evenly spaced tiles of `size` that cover `length`. A tile larger than the image centres it. */
function starts(length: number, size: number, overlap: number): number[] {
  if (size >= length - 1e-6) return [(length - size) / 2];
  const count = 1 + Math.ceil((length - size) / (size * (1 - overlap)) - 1e-6);
  return Array.from({ length: count }, (_, i) => (i * (length - size)) / (count - 1));
}
