/**
 * Components of ISO/IEC 29794-5 that OFIQ measures by trained models, here by the measures behind the reasons for low quality
 * (`src/reasons.ts`). Their raw values are this package's own; only the map of a covered share to a score is OFIQ's.
 */
import type { AnalyzedFace, VisibleReasonCode } from '../../face.ts';
import { measureReason, reasonRules } from '../../reasons.ts';
import { type Component, sigma } from './components.ts';

/** The components by the standard's names. */
export type VisibleComponentName = 'sharpness' | 'eyes-visible' | 'mouth-visible';

/** The score is 50 where a face begins to be called blurred. */
const blurred = reasonRules.blurred.limit;

const measures: Readonly<Record<VisibleComponentName, VisibleReasonCode>> = {
  sharpness: 'blurred',
  'eyes-visible': 'eyes_covered',
  'mouth-visible': 'mouth_covered',
};

/** Maps each raw value to 0 to 100. */
export const visibleScores: Readonly<Record<VisibleComponentName, (raw: number) => number>> = {
  sharpness: (raw) => 100 * (1 - sigma(raw, blurred, 0.2)),
  'eyes-visible': (raw) => 100 - raw,
  'mouth-visible': (raw) => 100 - raw,
};

/** What a component's raw value is, for reports. */
export const visibleUnits: Readonly<Record<VisibleComponentName, string>> = {
  sharpness: 'width of edges in pixels of the aligned face',
  'eyes-visible': 'probability that the eyes are covered, in per cent',
  'mouth-visible': 'probability that the mouth is covered, in per cent',
};

export const visibleNames: readonly VisibleComponentName[] = Object.keys(measures) as VisibleComponentName[];

export const isVisibleComponent = (name: string): name is VisibleComponentName => Object.hasOwn(measures, name);

/** @returns the component of a face; the raw value is in the unit of {@link visibleUnits} */
export function visibleComponent(name: VisibleComponentName, face: AnalyzedFace): Component {
  const raw = measureReason(measures[name], face);
  return { raw, score: visibleScores[name](raw) };
}
