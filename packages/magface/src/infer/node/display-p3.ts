/** Display P3, the colours of phones, in HEIC files: how to tell it, and how to convert it to sRGB. sharp does so for other formats. */

/**
 * Reads the colour box of a HEIF file: an ICC profile whose red has the place of Display P3's, or the code of its primaries.
 *
 * @param bytes - a whole file
 * @see ISO/IEC 14496-12, `colr`; ISO/IEC 23091-2, colour primaries 12; ICC.1:2022, `rXYZ`
 */
export function isDisplayP3(bytes: Uint8Array): boolean {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const profile = file.indexOf('colrprof', 0, 'latin1');
  if (profile >= 4) return hasRedOfP3(file.subarray(profile + 8, profile - 4 + file.readUInt32BE(profile - 4)));
  const code = file.indexOf('colrnclx', 0, 'latin1');
  return code >= 0 && code + 10 <= file.length && file.readUInt16BE(code + 8) === 12;
}

/** X of Display P3's red, adapted to D50 as in every ICC profile; sRGB's is 0.436, Rec. 2020's 0.673, Adobe RGB's 0.610. */
const redOfP3 = 0.5151;

function hasRedOfP3(profile: Buffer): boolean {
  if (profile.length < 132) return false;
  const tags = Math.min(profile.readUInt32BE(128), Math.floor((profile.length - 132) / 12));
  for (let at = 132; at < 132 + 12 * tags; at += 12) {
    if (profile.toString('latin1', at, at + 4) !== 'rXYZ') continue;
    const start = profile.readUInt32BE(at + 4);
    return start + 12 <= profile.length && Math.abs(profile.readInt32BE(start + 8) / 65536 - redOfP3) < 0.005;
  }
  return false;
}

/** Linear Display P3 to linear sRGB. @see CSS Color Module Level 4, section 17, whose matrices through XYZ are multiplied here */
const toLinearSrgb = [
  [1.2249401762805587, -0.22494017628055865, 0],
  [-0.04205695470968816, 1.042056954709688, 0],
  [-0.019637554590334432, -0.07863604555063188, 1.0982736001409663],
] as const;

const linear = Float64Array.from({ length: 256 }, (_, value) => {
  const share = value / 255;
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
});

/** The curve of sRGB, which Display P3 shares, for linear values in steps of 1/4095. */
const encoded = Uint8Array.from({ length: 4096 }, (_, step) => {
  const share = step / 4095;
  return Math.round(255 * (share <= 0.0031308 ? 12.92 * share : 1.055 * share ** (1 / 2.4) - 0.055));
});

/**
 * Converts pixels in place; colours outside of sRGB are clipped.
 *
 * @param data - uint8, interleaved
 * @param channels - 3, or 4 with transparency, which stays
 */
export function srgbFromDisplayP3(data: Uint8Array | Uint8ClampedArray, channels: 3 | 4): void {
  for (let at = 0; at < data.length; at += channels) {
    const [r, g, b] = [linear[data[at]!]!, linear[data[at + 1]!]!, linear[data[at + 2]!]!];
    for (let channel = 0; channel < 3; channel++) {
      const [fromRed, fromGreen, fromBlue] = toLinearSrgb[channel]!;
      const value = fromRed * r + fromGreen * g + fromBlue * b;
      data[at + channel] = encoded[Math.round(4095 * Math.min(1, Math.max(0, value)))]!;
    }
  }
}
