/** A face as commands print it. */
import type { AnalyzedFace, Estimate, Reason } from '../face.ts';
import type { Column } from './output.ts';
import { printedRow, qualityInCsv, qualityInTable } from './quality-column.ts';
import { type ImageOutcome, sayOf } from './run-images.ts';

export interface FaceRow {
  readonly image: string;
  /** From 0, largest first. */
  readonly face: number;
  readonly box: AnalyzedFace['box'];
  readonly landmarks: AnalyzedFace['landmarks'];
  readonly detection: number;
  /** Clockwise turn of the photo in degrees before the face was found; absent for an upright photo. */
  readonly turned?: 90 | 180 | 270;
  readonly magnitude: number;
  /** Not rounded; null if the model has no calibration. */
  readonly quality: number | null;
  readonly reasons: readonly Reason[];
  readonly estimates: readonly Estimate[];
  /** By quality methods that were asked for, by name. */
  readonly measures?: Readonly<Record<string, number>>;
}

export interface FailureRow {
  readonly image: string;
  readonly error: { readonly code: string; readonly message: string };
}

export type QualityRow = FaceRow | FailureRow;

/**
 * One row per face, or one for an image without faces.
 *
 * @param measures - by face: values of further quality methods
 */
export function faceRows(
  outcome: ImageOutcome,
  measures: readonly Readonly<Record<string, number>>[] = [],
): QualityRow[] {
  const { file } = outcome;
  if ('error' in outcome) {
    const { error } = outcome;
    return [{ image: file.name, error: { code: error.code, message: sayOf(error, file) } }];
  }
  return outcome.faces.map(
    ({ box, landmarks, detection, turned, magnitude, quality = null, reasons, estimates }, face) => ({
      image: file.name,
      face,
      box,
      landmarks,
      detection,
      ...(turned === undefined ? {} : { turned }),
      magnitude,
      quality,
      reasons,
      estimates,
      ...(measures[face] && { measures: measures[face] }),
    }),
  );
}

/** The face as JSON gives it: the quality with one decimal. */
export const printedFace = (row: QualityRow): QualityRow => ('error' in row ? row : printedRow(row));

const words = (code: string): string => code.replaceAll('_', ' ');
const ofFace = (value: (face: FaceRow) => string | number | boolean | undefined) => (row: QualityRow) =>
  'error' in row ? undefined : value(row);

export const faceTable: readonly Column<QualityRow>[] = [
  { title: 'image', value: ({ image }) => image, layout: 'middle' },
  { title: 'face', value: ofFace(({ face }) => face), layout: 'right' },
  { title: 'size', value: ofFace(({ box }) => `${Math.round(box.width)}x${Math.round(box.height)}`), layout: 'right' },
  { title: 'magnitude', value: ofFace(({ magnitude }) => magnitude.toFixed(2)), layout: 'right' },
  { ...qualityInTable, value: ofFace(qualityInTable.value) },
  {
    title: 'reasons',
    value: (row) =>
      'error' in row
        ? words(row.error.code)
        : row.reasons.map(({ code, value }) => `${words(code)} (${value})`).join(', '),
    layout: 'wrap',
  },
];

export const faceCsv: readonly Column<QualityRow>[] = [
  { title: 'image', value: ({ image }) => image },
  { title: 'face', value: ofFace(({ face }) => face) },
  ...(['x', 'y', 'width', 'height'] as const).map((side) => ({ title: side, value: ofFace(({ box }) => box[side]) })),
  { title: 'detection', value: ofFace(({ detection }) => detection) },
  { title: 'magnitude', value: ofFace(({ magnitude }) => magnitude) },
  { ...qualityInCsv, value: ofFace(qualityInCsv.value) },
  { title: 'reasons', value: ofFace(({ reasons }) => reasons.map(({ code, value }) => `${code}=${value}`).join(' ')) },
  { title: 'error', value: (row) => ('error' in row ? row.error.code : undefined) },
];

/** @returns the columns with one for each quality method, before the last */
export function withMethods(
  columns: readonly Column<QualityRow>[],
  methods: readonly string[],
  format: (value: number) => string | number,
): Column<QualityRow>[] {
  const own = methods.map(
    (name): Column<QualityRow> => ({
      title: name,
      value: ofFace(({ measures }) => (measures?.[name] === undefined ? undefined : format(measures[name]))),
      layout: 'right',
    }),
  );
  return [...columns.slice(0, -1), ...own, ...columns.slice(-1)];
}
