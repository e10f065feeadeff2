/** What too strong a compression does: blocks and lost colour. */
import { createRequire } from 'node:module';
import type { Pixels } from '../../pixels.ts';
import { type Damage, type DamageKind, damages } from '../damage.ts';

// CommonJS that Node cannot see the names of.
const { compressSync, decompressSync, FORMAT_RGB, SAMP_420 } = createRequire(import.meta.url)(
  '@julusian/jpeg-turbo',
) as typeof import('@julusian/jpeg-turbo');

/** libjpeg's quality, 1 to 100: from 75, the usual, down to 5; below, its tables are full and nothing changes any more. */
const quality = (strength: number): number => Math.round(75 * (5 / 75) ** strength);

/** Strength 0 leaves the pixels alone: it is no compression, not a good one. */
const jpegDamage: Damage = {
  describe: (strength) => (strength === 0 ? 'none' : `quality ${quality(strength)}`),
  apply: (face, strength) => (strength === 0 ? face : recompressed(face, quality(strength))),
};

/** All kinds that Node can do, in the order of reports. */
export const allDamages: Readonly<Record<DamageKind | 'jpeg', Damage>> = { ...damages, jpeg: jpegDamage };

function recompressed({ data, width, height }: Pixels, at: number): Pixels {
  const raw = Buffer.from(data.buffer, data.byteOffset, data.length);
  const file = compressSync(raw, { format: FORMAT_RGB, width, height, subsampling: SAMP_420, quality: at });
  const pixels = decompressSync(file, { format: FORMAT_RGB });
  return { data: new Uint8Array(pixels.data), width, height };
}
