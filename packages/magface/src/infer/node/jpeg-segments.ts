/** The segments of a JPEG file before its picture. @see ITU-T T.81, annex B */

export interface JpegSegment {
  /** Second byte of its marker: 0xe1 for APP1. */
  readonly marker: number;
  /** Its content, after the length. */
  readonly content: Uint8Array;
}

/** @returns the segments up to the frame's header; none if it is not a JPEG file */
export function* jpegSegments(bytes: Uint8Array): Generator<JpegSegment> {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8) return;
  for (let at = 2; at + 3 < bytes.length && bytes[at] === 0xff; ) {
    const [marker, length] = [bytes[at + 1]!, bytes[at + 2]! * 256 + bytes[at + 3]!];
    if (length < 2) return;
    yield { marker, content: bytes.subarray(at + 4, at + 2 + length) };
    if (isFrame(marker)) return;
    at += 2 + length;
  }
}

/** SOF0 to SOF15, without the markers of tables in between. */
const isFrame = (marker: number): boolean => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);

/** What the frame's header says. */
export interface JpegFrame {
  readonly width: number;
  readonly height: number;
  readonly components: number;
}

/** @returns the size of a baseline or progressive picture; undefined for other segments and for lossless pictures */
export function frameOf({ marker, content }: JpegSegment): JpegFrame | undefined {
  if (marker < 0xc0 || marker > 0xc2 || content.length < 6) return undefined;
  const [height, width] = [content[1]! * 256 + content[2]!, content[3]! * 256 + content[4]!];
  return { width, height, components: content[5]! };
}
