/**
 * Plans the views of a detector. The first shows the whole image with a black margin, so that faces at its border are
 * seen whole. The second has half the scale, for faces that fill the image and so are larger than the network can
 * see. If smaller faces are wanted than the first can show, finer levels follow: each doubles the scale and cuts the
 * image into overlapping tiles.
 */
import type { ImageSize } from '../pixels.ts';
import type { View } from './letterbox.ts';

export interface ViewOptions {
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

/** @returns levels, the most trusted first: the whole image, half the scale, then the finer ones */
export function planViews(image: ImageSize, options: ViewOptions): View[][] {
  const { frame, margin, reach, minFace } = options;
  const longer = Math.max(image.width, image.height);
  const fit = Math.min(
    frame.width / (image.width + 2 * margin * longer),
    frame.height / (image.height + 2 * margin * longer),
  );
  const whole = Math.min(1, fit); // never enlarged
  const levels = [[wholeView(image, whole, options)], [wholeView(image, whole / 2, options)]];
  const finest = reach / minFace;
  for (let scale = whole; scale * nearlyAll < finest; ) {
    scale = scale * 2 * nearlyAll < finest ? scale * 2 : finest;
    levels.push(tilesAt(image, scale, options));
  }
  return levels;
}

/** The whole image centred in a frame just large enough for it and its margin. */
function wholeView(image: ImageSize, scale: number, { frame, multiple, margin }: ViewOptions): View {
  const border = 2 * margin * scale * Math.max(image.width, image.height);
  const size = (length: number, most: number): number =>
    multiple === undefined ? most : Math.min(most, Math.ceil((length * scale + border) / multiple - 1e-6) * multiple);
  const [width, height] = [size(image.width, frame.width), size(image.height, frame.height)];
  return { x: (image.width - width / scale) / 2, y: (image.height - height / scale) / 2, scale, width, height };
}

function tilesAt(image: ImageSize, scale: number, { frame, multiple, overlap }: ViewOptions): View[] {
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
