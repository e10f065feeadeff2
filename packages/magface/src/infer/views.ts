/**
 * Which views of an image a detector gets, so that it finds a face that fills a photo and one of 20 pixels in a crowd:
 * a pyramid from the whole image to the scale where the smallest face is large enough, each level cut into tiles that
 * overlap by what the next coarser level cannot be trusted with.
 */

import type { View } from './letterbox.ts';
import type { ImageSize } from './pipeline.ts';

export interface ViewOptions {
  /** Largest input of the network in pixels, or its only one. */
  readonly tile: ImageSize;
  /** The network takes any size up to `tile` that is a multiple of this; undefined where `tile` is its only size. */
  readonly multiple?: number | undefined;
  /** Largest scale looked at: above 1 enlarges the image. */
  readonly largestScale: number;
  /** Share of a tile by which neighbours overlap: faces up to that size lie whole in one of them. */
  readonly overlap: number;
}

/** @returns views from coarse to fine; the first shows the whole image. */
export function planViews(image: ImageSize, options: ViewOptions): View[] {
  const { tile, largestScale } = options;
  const fit = Math.min(tile.width / image.width, tile.height / image.height);
  const whole = Math.min(fit, largestScale);
  const views: View[] = [shrunk(image, whole / 2, tile)];
  for (let scale = whole; ; scale = 2 * scale < largestScale / nearlyAll ? 2 * scale : largestScale) {
    views.push(...tilesAt(image, scale, options));
    if (scale >= largestScale) return views;
  }
}

/** A level this close below the last shows what the last shows, at almost its cost. */
const nearlyAll = 1.25;

/** The whole image in the middle of a tile with a wide black margin, for faces that fill it or that its border cuts. */
function shrunk(image: ImageSize, scale: number, { width, height }: ImageSize): View {
  return { x: (image.width - width / scale) / 2, y: (image.height - height / scale) / 2, scale, width, height };
}

function tilesAt(image: ImageSize, scale: number, { tile, multiple, overlap }: ViewOptions): View[] {
  const size = (length: number, most: number) =>
    multiple === undefined ? most : Math.min(most, Math.ceil((length * scale) / multiple) * multiple);
  const [width, height] = [size(image.width, tile.width), size(image.height, tile.height)];
  const columns = starts(image.width, width / scale, overlap, multiple);
  const rows = starts(image.height, height / scale, overlap, multiple);
  return rows.flatMap((y) => columns.map((x) => ({ x, y, scale, width, height })));
}

/**
 * Where tiles of `size` begin that cover `length`, evenly spread. One that is larger shows the image in its middle, or
 * fills up to the next multiple on the far side, as reference decoders do: YuNet's finds depend a little on the grid.
 */
function starts(length: number, size: number, overlap: number, multiple: number | undefined): number[] {
  if (size >= length - 1e-6) return [multiple === undefined ? (length - size) / 2 : 0];
  const count = 1 + Math.ceil((length - size) / (size * (1 - overlap)) - 1e-6);
  return Array.from({ length: count }, (_, i) => (i * (length - size)) / (count - 1));
}
