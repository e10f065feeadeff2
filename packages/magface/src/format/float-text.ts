/** float32 values as text: little-endian, in base64. */

/** @returns the same memory as bytes */
export const bytesOfFloats = ({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** @returns a copy, so that the bytes may lie anywhere */
export function floatsOfBytes(bytes: Uint8Array): Float32Array {
  const floats = new Float32Array(bytes.length / 4);
  bytesOfFloats(floats).set(bytes);
  return floats;
}

export function floatText(floats: Float32Array): string {
  const { buffer, byteOffset, byteLength } = floats;
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64');
}

export const textFloats = (text: string): Float32Array => floatsOfBytes(Buffer.from(text, 'base64'));
