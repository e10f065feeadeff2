/** Five colours from poor to good quality, distinguishable with any colour vision (Okabe and Ito). */

/** A colour and the colour of text on it, as CSS. */
export interface QualityColour {
  readonly colour: string;
  readonly on: string;
}

export const qualityColours: readonly QualityColour[] = [
  { colour: '#d55e00', on: '#000' },
  { colour: '#e69f00', on: '#000' },
  { colour: '#f0e442', on: '#000' },
  { colour: '#56b4e9', on: '#000' },
  { colour: '#0072b2', on: '#fff' },
];

/** @returns the colour for a quality of 0 to 100, in steps of 20 */
export function qualityColour(quality: number): QualityColour {
  return qualityColours[Math.min(4, Math.max(0, Math.floor(quality / 20)))]!;
}
