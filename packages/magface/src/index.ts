/** The library's public names for Node. */
export type { ImageErrorCode, ModelErrorCode } from './errors.ts';
export { ConfigError, FormatError, ImageError, MagfaceError, ModelError, ShapeError } from './errors.ts';
export type { AnalyzedFace, Box, DetectedFace, Landmarks, Point } from './face.ts';
export type { Pixels } from './pixels.ts';
export type { Calibration } from './quality.ts';
export { magnitudeOf, qualityScore } from './quality.ts';
export type { Reason, ReasonCode } from './reasons.ts';
