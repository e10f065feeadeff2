/** Damaging files as disks, networks and attackers do, the same way for the same seed. */

/** xorshift32. @returns whole numbers from 0 to below `limit` */
export function randomFrom(seed: number): (limit: number) => number {
  let state = (seed * 2654435761 + 1) >>> 0 || 1;
  return (limit) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

type Random = (limit: number) => number;
type Mutation = (bytes: Buffer, random: Random) => Buffer;

/** Headers and directories lie at the ends, so half of all damage goes there. */
function place(bytes: Buffer, random: Random): number {
  const near = Math.min(bytes.length, 4096);
  const where = random(4);
  if (where === 0) return random(near);
  if (where === 1) return bytes.length - 1 - random(near);
  return random(bytes.length);
}

const inserted = (bytes: Buffer, at: number, more: Uint8Array): Buffer =>
  Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);

function flip(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  for (let n = 1 + random(8); n > 0; n--) copy[place(bytes, random)]! ^= 1 << random(8);
  return copy;
}

const lengths = [0n, 1n, 0x7fffffffn, 0x80000000n, 0xffffffffn, 1n << 62n, 1n << 63n, (1n << 64n) - 1n];

function length(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  const width = random(2) === 0 ? 4 : 8;
  const at = Math.max(0, Math.min(place(bytes, random), bytes.length - width));
  const value = lengths[random(lengths.length)]!;
  if (bytes.length < 8) return copy;
  if (width === 4) copy.writeUInt32LE(Number(value & 0xffffffffn), at);
  else copy.writeBigUInt64LE(value, at);
  return copy;
}

function digits(bytes: Buffer, random: Random): Buffer {
  const text = ['2147483648', '9223372036854775808', '1e309', '-1', '""', '[]', '{}'][random(7)]!;
  return inserted(bytes, place(bytes, random), Buffer.from(text));
}

/** Pickle's marks, lists and dicts, JSON's brackets; lists that hold themselves. */
function nest(bytes: Buffer, random: Random): Buffer {
  const text = ['(', ']', '}', '[', '{"a":', '](', ']q\x00h\x00a', '(h\x00t', '2'][random(9)]!;
  return inserted(bytes, place(bytes, random), Buffer.from(text.repeat(1 << random(18)), 'latin1'));
}

function copyRange(bytes: Buffer, random: Random): Buffer {
  const [from, size] = [place(bytes, random), 1 + random(4096)];
  return inserted(bytes, place(bytes, random), bytes.subarray(from, from + size));
}

const mutations: readonly Mutation[] = [
  flip,
  length,
  digits,
  nest,
  copyRange,
  (bytes, random) => bytes.subarray(0, place(bytes, random)),
  (bytes, random) => inserted(bytes, place(bytes, random), Buffer.alloc(1 + random(65536), random(256))),
  (bytes, random) => Buffer.concat([bytes, Buffer.alloc(1 + random(65536), random(256))]),
];

/** @returns a damaged copy: one to three mutations of the kinds above */
export function mutated(bytes: Buffer, seed: number): Buffer {
  const random = randomFrom(seed);
  let result = bytes;
  for (let n = 1 + random(3); n > 0 && result.length > 0; n--)
    result = mutations[random(mutations.length)]!(result, random);
  return result;
}
