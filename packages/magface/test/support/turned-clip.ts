/** @returns an MP4 file with one track, whose matrix says that players turn its pictures clockwise by 90 degrees */
export function turnedClip(mp4: Uint8Array): Uint8Array {
  const turned = Buffer.from(mp4);
  const header = turned.indexOf('tkhd', 0, 'latin1');
  if (header < 0 || turned[header + 4] !== 0) throw new Error('Expected an MP4 file with a track header of version 0.');
  const matrix = [0, 1, 0, -1, 0, 0, 0, 0].map((value) => value * 0x10000); // ISO/IEC 14496-12, 8.3.2
  for (const [i, value] of [...matrix, 0x40000000].entries()) turned.writeInt32BE(value, header + 44 + 4 * i);
  return turned;
}
