/**
 * Outputs of YuNet: for each cell of the grids at strides 8, 16, 32
 *
 *     score = √(cls · obj),   centre = (cell + d) · stride,   size = e^d · stride,   landmark = (cell + d) · stride
 *
 * The input is BGR, 0 to 255, its sides multiples of 32.
 *
 * @see Wu, Peng and Yu, "YuNet: A Tiny Millisecond-level Face Detector", MIR 2023; OpenCV's FaceDetectorYN
 */
import type { DetectedFace, Landmarks, Point } from '../face.ts';
import type { Decoder } from './decoder.ts';

const strides = [8, 16, 32] as const;

export const yunet: Decoder = {
  frame: { width: 640, height: 640 },
  multiple: 32,
  // Measured on 86 faces of 15 photos and on 1,400 loosely cropped faces: a wider margin misses faces that fill the frame.
  margin: 1 / 16,
  reach: 14,
  overlap: 0.25,
  minScore: 0.6,
  certainScore: 0.85,
  minTurnedScore: 0.8,
  closerLooks: [],
  confirmed: 0,
  blend: false,
  decode(outputs, { width }, minScore) {
    return strides.flatMap((stride) => {
      const columns = width / stride;
      const [cls, obj, box, points] = ['cls', 'obj', 'bbox', 'kps'].map((name) => outputs(`${name}_${stride}`));
      const faces: DetectedFace[] = [];
      for (let i = 0; i < cls!.length; i++) {
        const detection = Math.sqrt(clamp(cls![i]!) * clamp(obj![i]!));
        if (detection < minScore) continue;
        const [column, row] = [i % columns, Math.floor(i / columns)];
        const at = (values: Float32Array, j: number): Point => [
          (column + values[j]!) * stride,
          (row + values[j + 1]!) * stride,
        ];
        const [x, y] = at(box!, 4 * i);
        const [w, h] = [Math.exp(box![4 * i + 2]!) * stride, Math.exp(box![4 * i + 3]!) * stride];
        const landmarks = [0, 2, 4, 6, 8].map((j) => at(points!, 10 * i + j)) as unknown as Landmarks;
        faces.push({
          box: { x: x - w / 2, y: y - h / 2, width: w, height: h },
          landmarks,
          mouth: 'corners',
          detection,
        });
      }
      return faces;
    });
  },
};

const clamp = (value: number): number => Math.min(1, Math.max(0, value));
