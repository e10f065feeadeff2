/** A face as commands print it. */
import { type ErrorReply, errorReply } from '../errors.ts';
import type { AnalyzedFace, Estimate, Reason } from '../face.ts';
import type { TextStream } from './context.ts';
import { type Column, createRows, type OutputFormat, type RowWriter } from './output.ts';
import { printedRow, qualityInCsv, qualityInTable } from './quality-column.ts';
import { asTyped, type ImageOutcome } from './run-images.ts';

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
  readonly error: ErrorReply;
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
    return [{ image: file.name, error: errorReply(asTyped(error, file)) }];
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
const printedFace = (record: QualityRow): QualityRow => ('error' in record ? record : printedRow(record));

const words = (code: string): string => code.replaceAll('_', ' ');
const ofFace = (value: (face: FaceRow) => string | number | boolean | undefined) => (row: QualityRow) =>
  'error' in row ? undefined : value(row);

const faceTable: readonly Column<QualityRow>[] = [
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

const faceCsv: readonly Column<QualityRow>[] = [
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
function withMethods(
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

/** Columns of plain values, with one for each quality method. */
export const csvColumns = (methods: readonly string[]): readonly Column<QualityRow>[] =>
  withMethods(faceCsv, methods, (value) => value);

/** @param begun - whether earlier rows precede these */
export function openRows(
  stream: TextStream,
  {
    format,
    methods,
    begun = false,
  }: { readonly format: OutputFormat; readonly methods: readonly string[]; readonly begun?: boolean },
): RowWriter<QualityRow> {
  return createRows(stream, {
    format,
    table: withMethods(faceTable, methods, (value) => Number(value.toPrecision(4))),
    csv: csvColumns(methods),
    json: printedFace,
    begun,
  });
}

/** Whether the face has at least this quality; failures always count. */
export function isGoodEnough(row: QualityRow, least: number | undefined): boolean {
  return 'error' in row || least === undefined || (row.quality ?? 0) >= least;
}
