import { expect, test } from 'vitest';
import { tarHeader, tarNumber, tarText } from '../../src/format/tar-shard.ts';

test.each([0, 513, 8 ** 11 - 1, 8 ** 11, 2 ** 40])('reads back the size of a file of %d bytes', (size) => {
  const header = tarHeader('a.jpg', { size, type: '0' });
  expect(tarNumber(header, 124, 12)).toBe(size);
  expect(tarText(header, 0, 100)).toBe('a.jpg');
  // Eleven octal digits and a zero, or base 256: what the first byte says.
  expect([header[124]! >> 7, header[135]]).toEqual(size < 8 ** 11 ? [0, 0] : [1, size & 0xff]);
});
