/** Consistency: how little the embedding moves when the picture changes in a way that no person would notice. */
import type { AnalyzedFace } from '../../face.ts';
import type { Embedder } from '../../infer/embedder.ts';
import { blankPixels, type Pixels } from '../../pixels.ts';
import { compare } from '../../similarity.ts';
import type { QualityMethod } from './method.ts';

/** Pixels that a crop is moved by; the template's eyes are 35 apart. */
const shift = 2;

/** Cosine of the face and its mirror image. */
export const flipConsistency = (embedder: Embedder): QualityMethod =>
  consistency('flip', embedder, ({ crop }) => [mirrored(crop)]);

/** Mean cosine of the face and four crops that are moved by two pixels. */
export const shiftConsistency = (embedder: Embedder): QualityMethod =>
  consistency('shift', embedder, ({ crop }) =>
    (
      [
        [shift, 0],
        [-shift, 0],
        [0, shift],
        [0, -shift],
      ] as const
    ).map(([x, y]) => moved(crop, x, y)),
  );

/** @param changed - the same number of pictures for each face */
function consistency(
  name: string,
  embedder: Embedder,
  changed: (face: AnalyzedFace) => readonly Pixels[],
): QualityMethod {
  return {
    name,
    measure: async (faces) => {
      const pictures = faces.map(changed);
      const embeddings = await embedder.embed(pictures.flat());
      let at = 0;
      return faces.map(({ embedding }, i) => {
        const own = embeddings.slice(at, at + pictures[i]!.length);
        at += own.length;
        return own.reduce((sum, one) => sum + compare(embedding, one.embedding), 0) / own.length;
      });
    },
    [Symbol.asyncDispose]: () => embedder[Symbol.asyncDispose](),
  };
}

const mirrored = (crop: Pixels): Pixels => drawn(crop, (x, y) => [crop.width - 1 - x, y]);

/** Repeats the border where the picture ends. */
const moved = (crop: Pixels, byX: number, byY: number): Pixels => {
  const within = (value: number, size: number): number => Math.min(size - 1, Math.max(0, value));
  return drawn(crop, (x, y) => [within(x - byX, crop.width), within(y - byY, crop.height)]);
};

/** @param from - the pixel of the crop that each pixel shows */
function drawn(crop: Pixels, from: (x: number, y: number) => readonly [number, number]): Pixels {
  const { width, height } = crop;
  const picture = blankPixels(width, height);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [sourceX, sourceY] = from(x, y);
      const [at, source] = [3 * (y * width + x), 3 * (sourceY * width + sourceX)];
      for (let c = 0; c < 3; c++) picture.data[at + c] = crop.data[source + c]!;
    }
  }
  return picture;
}
