/** Inputs that the goldens were printed for, rebuilt from their names, and a `describe` that needs the addon. */
import { isBuilt } from '@magface/torch';
import { describe, test } from 'vitest';

const crcTable = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function crc32(text: string): number {
  let crc = 0xffffffff;
  for (const byte of Buffer.from(text)) crc = (crc >>> 8) ^ crcTable[(crc ^ byte) & 0xff]!;
  return ~crc >>> 0;
}

/** n float32 values in [0, 1) that the name determines: a counter through MurmurHash3's finaliser. */
export function u01(name: string, n: number): Float32Array {
  const start = Math.imul(crc32(name), 0x9e3779b9);
  const values = new Float32Array(n);
  for (let i = 0; i < n; i++) {
    let h = (start + i) >>> 0;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
    values[i] = (h >>> 8) / 2 ** 24;
  }
  return values;
}

/** The values of a model's tensor, by its name in PyTorch. */
export function goldenTensor(name: string, shape: readonly number[]): Float32Array {
  const count = shape.reduce((product, size) => product * size, 1);
  const [offset, factor] = goldenRule(name, shape, count / (shape[0] ?? 1));
  const values = u01(name, count);
  for (let i = 0; i < count; i++) values[i] = offset + factor * (values[i]! - 0.5);
  return values;
}

function goldenRule(name: string, shape: readonly number[], fanIn: number): [offset: number, factor: number] {
  if (name.endsWith('running_var')) return [1, 0.2];
  if (name.endsWith('running_mean')) return [0, 0.1];
  if (name.endsWith('bn3.weight')) return [0.25, 0.025];
  if (shape.length > 1) return [0, 2 * Math.sqrt(6 / fanIn)];
  if (name.endsWith('prelu.weight')) return [0.25, 0.1];
  return name.endsWith('.weight') ? [1, 0.1] : [0, 0.1];
}

/**
 * Runs where the addon is built. Elsewhere one test with the reason in its title is skipped, and the body, which may make
 * tensors, is not entered.
 */
export function describeTraining(title: string, body: () => void): void {
  if (isBuilt()) describe(title, body);
  else {
    const reason = "[skipped: libtorch's addon is not built; npm run build:torch]";
    describe.skip(`${title} ${reason}`, () => test('not run', () => {}));
  }
}
