/** A face's numbers as plain JSON, which is what crosses from a page to its test. */
import type { AnalyzedFace } from '../../src/face.ts';
import { describeReason } from '../../src/reasons.ts';

export interface SeenFace {
  readonly box: readonly number[];
  readonly magnitude: number;
  readonly quality: number | undefined;
  readonly reasons: readonly string[];
  readonly embedding: readonly number[];
}

export function seen({ box, magnitude, quality, reasons, embedding }: AnalyzedFace): SeenFace {
  const { x, y, width, height } = box;
  return {
    box: [x, y, width, height].map(Math.round),
    magnitude,
    quality,
    reasons: reasons.map(describeReason),
    embedding: [...embedding],
  };
}
