/** JPEG compression artefacts: blocks and lost colour. */
import { createRequire } from 'node:module';
import type { Pixels } from '../../pixels.ts';
import { type Damage, type DamageKind, damages } from '../damage.ts';

// A CommonJS module whose export names Node cannot detect.
const { compressSync, decompressSync, FORMAT_RGB, SAMP_420 } = createRequire(import.meta.url)(
  '@julusian/jpeg-turbo',
) as typeof import('@julusian/jpeg-turbo');

/** libjpeg quality, from 75, the usual value, down to 5. Below 5 its quantization tables saturate. */
const quality = (strength: number): number => Math.round(75 * (5 / 75) ** strength);

/** Strength 0 means no compression at all, so the pixels are unchanged. */
const jpegDamage: Damage = {
  describe: (strength) => (strength === 0 ? 'none' : `quality ${quality(strength)}`),
  apply: (face, strength) => (strength === 0 ? face : recompressed(face, quality(strength))),
};

/** All kinds of damage available in Node, in report order. */
export const allDamages: Readonly<Record<DamageKind | 'jpeg', Damage>> = { ...damages, jpeg: jpegDamage };

function recompressed({ data, width, height }: Pixels, at: number): Pixels {
  const raw = Buffer.from(data.buffer, data.byteOffset, data.length);
  const file = compressSync(raw, { format: FORMAT_RGB, width, height, subsampling: SAMP_420, quality: at });
  const pixels = decompressSync(file, { format: FORMAT_RGB });
  return { data: new Uint8Array(pixels.data), width, height };
}
