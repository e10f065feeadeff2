/**
 * Outputs of BlazeFace's back-camera variant with 256x256 input: a 16x16 grid of two anchors per cell and an 8x8 grid
 * of six, all of one size. Each anchor has a logit and 16 values in pixels from its cell's centre: the box's centre and
 * size, then six points: both eyes, nose, the mouth's centre and both ears (unused here).
 *
 * @see Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019
 */
import { withMouthCorners } from '../align.ts';
import type { DetectedFace, Point } from '../face.ts';
import type { Decoder } from './decoder.ts';

const valuesPerAnchor = 16;

/** The converted file names its outputs `Identity...`: scores and boxes of the fine grid, then of the coarse one. */
const grids = [
  { cells: 16, anchors: 2, scores: 'Identity:0', boxes: 'Identity_2:0' },
  { cells: 8, anchors: 6, scores: 'Identity_1:0', boxes: 'Identity_3:0' },
] as const;

export const blazeface: Decoder = {
  frame: { width: 256, height: 256 },
  multiple: undefined,
  margin: 0, // a margin makes faces smaller, and this network misses small ones
  reach: 32,
  overlap: 0.3,
  minScore: 0.78,
  certainScore: 0.95,
  minTurnedScore: 0.9,
  closerLooks: [0.25, 0.5],
  confirmed: 0.65,
  blend: true,
  decode(outputs, { width, height }, minScore) {
    return grids.flatMap(({ cells, anchors, scores, boxes }) => {
      const [logits, values] = [outputs(scores), outputs(boxes)];
      const faces: DetectedFace[] = [];
      for (let i = 0; i < logits.length; i++) {
        const detection = 1 / (1 + Math.exp(-logits[i]!));
        if (detection < minScore) continue;
        const cell = Math.floor(i / anchors);
        const centreX = (((cell % cells) + 0.5) * width) / cells;
        const centreY = ((Math.floor(cell / cells) + 0.5) * height) / cells;
        const pair = (j: number): Point => [values[valuesPerAnchor * i + j]!, values[valuesPerAnchor * i + j + 1]!];
        const point = (j: number): Point => [centreX + pair(j)[0] - 0.5, centreY + pair(j)[1] - 0.5];
        const [w, h] = pair(2);
        const box = { x: centreX + pair(0)[0] - w / 2, y: centreY + pair(0)[1] - h / 2, width: w, height: h };
        const landmarks = withMouthCorners([point(4), point(6), point(8), point(10)]);
        faces.push({ box, landmarks, mouth: 'centre', detection });
      }
      return faces;
    });
  },
};
