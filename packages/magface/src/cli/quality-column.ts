/** Quality as commands print it: whole numbers in tables, one decimal in JSON and CSV. */
import { printedQuality } from '../quality.ts';
import type { Column } from './output.ts';

/** A record with an unrounded quality; null if the model has no calibration. */
export interface Scored {
  readonly quality: number | null;
}

export const qualityInTable: Column<Scored> = {
  title: 'quality',
  value: ({ quality }) => (quality === null ? undefined : Math.round(quality)),
  layout: 'right',
};

export const qualityInCsv: Column<Scored> = {
  title: 'quality',
  value: ({ quality }) => printedQuality(quality) ?? undefined,
};

/** The record as JSON has it. */
export const printedRow = <Row extends Scored>(row: Row): Row => ({ ...row, quality: printedQuality(row.quality) });
