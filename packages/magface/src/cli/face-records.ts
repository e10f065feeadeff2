/** A face as commands print it. */
import type { AnalyzedFace, Estimate, Reason } from '../face.ts';
import type { Column } from './output.ts';
import { printedRow, qualityInCsv, qualityInTable } from './quality-column.ts';
import { type ImageOutcome, sayOf } from './run-images.ts';

export interface FaceRecord {
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

export interface FailureRecord {
  readonly image: string;
  readonly error: { readonly code: string; readonly message: string };
}

export type QualityRecord = FaceRecord | FailureRecord;

/**
 * One record per face, or one for an image without faces.
 *
 * @param measures - by face: values of further quality methods
 */
export function faceRecords(
  outcome: ImageOutcome,
  measures: readonly Readonly<Record<string, number>>[] = [],
): QualityRecord[] {
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

/** The record as JSON gives it: the quality with one decimal. */
export const printedRecord = (record: QualityRecord): QualityRecord =>
  'error' in record ? record : printedRow(record);

const words = (code: string): string => code.replaceAll('_', ' ');
const ofFace = (value: (face: FaceRecord) => string | number | boolean | undefined) => (row: QualityRecord) =>
  'error' in row ? undefined : value(row);

export const faceTable: readonly Column<QualityRecord>[] = [
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

export const faceCsv: readonly Column<QualityRecord>[] = [
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
  columns: readonly Column<QualityRecord>[],
  methods: readonly string[],
  format: (value: number) => string | number,
): Column<QualityRecord>[] {
  const own = methods.map(
    (name): Column<QualityRecord> => ({
      title: name,
      value: ofFace(({ measures }) => (measures?.[name] === undefined ? undefined : format(measures[name]))),
      layout: 'right',
    }),
  );
  return [...columns.slice(0, -1), ...own, ...columns.slice(-1)];
}
