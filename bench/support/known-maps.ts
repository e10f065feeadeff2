/** Photos transformed by known maps: detections in them must equal the transformed detections in the photo. */
import sharp, { type Sharp } from 'sharp';
import type { Point } from '../../packages/magface/src/face.ts';

export interface KnownMap {
  /** `turn`, `scale` or `shift`. */
  readonly kind: string;
  readonly name: string;
  /** The transformed photo, as PNG to avoid other changes. */
  readonly apply: (photo: string) => Promise<Buffer>;
  /** Maps a point of the photo to the transformed photo. */
  readonly move: (point: Point, width: number, height: number) => Point;
}

const grey = '#808080';
const stored = (image: Sharp): Promise<Buffer> => image.png({ compressionLevel: 1 }).toBuffer();

const turn = (degrees: number): KnownMap => ({
  kind: 'turn',
  name: `turned by ${degrees}°`,
  apply: (photo) => stored(sharp(photo).rotate(degrees, { background: grey })),
  move: ([x, y], width, height) => {
    const angle = (degrees * Math.PI) / 180;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const [newWidth, newHeight] = [
      Math.abs(width * cos) + Math.abs(height * sin),
      Math.abs(width * sin) + Math.abs(height * cos),
    ];
    const [u, v] = [x + 0.5 - width / 2, y + 0.5 - height / 2];
    return [cos * u - sin * v + newWidth / 2 - 0.5, sin * u + cos * v + newHeight / 2 - 0.5];
  },
});

const scale = (factor: number): KnownMap => ({
  kind: 'scale',
  name: `scaled by ${factor}`,
  apply: async (photo) => {
    const { width = 1, height = 1 } = await sharp(photo).metadata();
    const size = { width: Math.round(width * factor), height: Math.round(height * factor), fit: 'fill' as const };
    return stored(sharp(photo).resize(size));
  },
  move: ([x, y], width, height) => [
    ((x + 0.5) * Math.round(width * factor)) / width - 0.5,
    ((y + 0.5) * Math.round(height * factor)) / height - 0.5,
  ],
});

const shift = (left: number, top: number): KnownMap => ({
  kind: 'shift',
  name: `moved by ${left}, ${top}`,
  apply: (photo) => stored(sharp(photo).extend({ left, top, background: grey })),
  move: ([x, y]) => [x + left, y + top],
});

/** Rotations up to 30 degrees, scales from 0.7 to 1.5, shifts. */
export const knownMaps: readonly KnownMap[] = [
  ...[-30, -20, -10, 10, 20, 30].map(turn),
  ...[0.7, 0.85, 1.2, 1.5].map(scale),
  ...(
    [
      [3, 1],
      [7, 5],
      [17, 11],
      [64, 40],
    ] as const
  ).map(([left, top]) => shift(left, top)),
];
