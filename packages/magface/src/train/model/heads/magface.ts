/** MagFace as a head: magface-loss.ts has the formula. */
import {
  clampMagnitudes,
  type MagFaceOptions,
  magfaceDefaults,
  margin,
  regularizer,
  withMargin,
} from '../magface-loss.ts';
import { type HeadFunction, withOwn } from './head-function.ts';

export function magface(options: MagFaceOptions): HeadFunction {
  const constants = { ...magfaceDefaults, ...options };
  return {
    regularizer: {
      weight: constants.lambdaG,
      of: (magnitudes) => regularizer(clampMagnitudes(magnitudes, constants), constants),
    },
    terms: (batch) => {
      const magnitudes = clampMagnitudes(batch.magnitudes, constants); // (N, 1)
      const margins = margin(magnitudes, constants); // (N, 1)
      const target = withMargin(batch.plain, margins, constants); // (N, 1)
      return { logits: withOwn(batch, batch.cosines, target).mul(constants.scale), margins, magnitudes };
    },
  };
}
