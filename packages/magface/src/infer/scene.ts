/**
 * An image during analysis: the detector's views, the aligner's looks and the crops share one set of smaller copies, so
 * that only one pass reads all pixels of a photo.
 */
import { blankPixels, type Pixels } from '../pixels.ts';
import { drawView, type View } from './letterbox.ts';

/** Lives during the analysis of one image; its pixels must not change. */
export interface Scene {
  readonly width: number;
  readonly height: number;
  readonly pixels: Pixels;
  /** Draws like {@link drawView}, from the copy of half, quarter, ... size that the view's scale allows. */
  draw(view: View): Pixels;
}

/** @returns the scene itself, or a new one for the image */
export function sceneOf(image: Pixels | Scene): Scene {
  return 'pixels' in image ? image : newScene(image);
}

/** Makes copies on demand. Keeps the first view, which shows the whole image, since it may be needed again. */
function newScene(pixels: Pixels): Scene {
  const { width, height } = pixels;
  const halves = [pixels];
  let first: { readonly view: View; readonly drawn: Pixels } | undefined;
  const draw = (view: View): Pixels => {
    if (first !== undefined && isSameView(first.view, view)) return first.drawn;
    const level = Math.max(0, Math.floor(-Math.log2(view.scale)));
    while (halves.length <= level) halves.push(halved(halves.at(-1)!));
    const factor = 2 ** level;
    const scaled = { ...view, x: view.x / factor, y: view.y / factor, scale: view.scale * factor };
    const drawn = drawView(halves[level]!, scaled);
    first ??= { view, drawn };
    return drawn;
  };
  return { width, height, pixels, draw };
}

const isSameView = (a: View, b: View): boolean =>
  a.x === b.x && a.y === b.y && a.scale === b.scale && a.width === b.width && a.height === b.height;

/** Half the width and height, rounded up: each pixel is the mean of 2x2, or of fewer at the end of an odd side. */
function halved({ data, width, height }: Pixels): Pixels {
  const half = blankPixels(Math.ceil(width / 2), Math.ceil(height / 2));
  const length = 3 * half.width;
  const last = 3 * (width - 1);
  for (let y = 0; y < half.height; y++) {
    const top = data.subarray(6 * y * width, 3 * (2 * y + 1) * width);
    const bottom = 2 * y + 1 < height ? data.subarray(3 * (2 * y + 1) * width, 6 * (y + 1) * width) : top;
    const row = half.data.subarray(y * length, (y + 1) * length);
    for (let to = 0, left = 0; to < length; to += 3, left += 6) {
      const right = left < last ? left + 3 : left;
      row[to] = (top[left]! + top[right]! + bottom[left]! + bottom[right]! + 2) >> 2;
      row[to + 1] = (top[left + 1]! + top[right + 1]! + bottom[left + 1]! + bottom[right + 1]! + 2) >> 2;
      row[to + 2] = (top[left + 2]! + top[right + 2]! + bottom[left + 2]! + bottom[right + 2]! + 2) >> 2;
    }
  }
  return half;
}
