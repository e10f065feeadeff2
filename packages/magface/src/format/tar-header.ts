/** The 512 bytes before each file of a tar archive. */

/** @returns text up to the first zero byte */
export const tarText = (header: Buffer, at: number, length: number): string =>
  header.toString('utf8', at, at + length).replace(/\0.*$/s, '');

/** Octal text, or base 256 if the first bit is set; NaN for anything else. */
export function tarNumber(header: Buffer, at: number, length: number): number {
  if ((header[at]! & 0x80) !== 0) return Number(BigInt(`0x${header.toString('hex', at + 1, at + length)}`));
  const text = tarText(header, at, length).trim();
  return /^[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number.NaN;
}

/** @returns a ustar header with its checksum; it does not depend on the time or the user */
export function tarHeader(name: string, { size, type }: { readonly size: number; readonly type: '0' | 'L' }): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100, 'utf8');
  header.write('0000644\x000000000\x000000000\x00', 100, 'latin1');
  if (size < 8 ** 11) header.write(size.toString(8).padStart(11, '0'), 124, 'latin1');
  else header.write(`80${size.toString(16).padStart(22, '0')}`, 124, 'hex');
  header.write('00000000000\x00', 136, 'latin1');
  header.write('        ', 148, 'latin1');
  header.write(type, 156, 'latin1');
  header.write('ustar\x0000', 257, 'latin1');
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\x00 `, 148, 'latin1');
  return header;
}
