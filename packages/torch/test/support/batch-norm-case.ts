/** Numbers for BatchNorm over ranks: any rows of a batch, and what every rank has alike. */
import { fromArray, type Tensor } from '@magface/torch';

const filled = (shape: readonly [number, number], value: (row: number, column: number) => number): Tensor =>
  fromArray(
    Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => value(Math.floor(i / shape[1]), i % shape[1])),
    shape,
  );

const ofChannels = (count: number, value: (column: number) => number): Tensor =>
  fromArray(Float32Array.from({ length: count }, (_, i) => value(i)));

/** @param rows - which of the batch's rows; x and residual are (rows, channels) */
export function batchNormCase(rows: readonly number[], channels: number) {
  const shape = [rows.length, channels] as const;
  return {
    x: filled(shape, (row, column) => Math.sin(rows[row]! * (column + 1)) + rows[row]! * (column % 3)),
    residual: filled(shape, (row, column) => Math.cos(rows[row]! + column)),
    weight: ofChannels(channels, (column) => 0.5 + Math.sin(column)),
    bias: ofChannels(channels, (column) => column / channels / 2),
    slope: ofChannels(channels, (column) => 0.1 + (column % 5) / 10),
  };
}

export const startStatistics = (channels: number): { runningMean: Tensor; runningVariance: Tensor } => ({
  runningMean: ofChannels(channels, () => 0),
  runningVariance: ofChannels(channels, () => 1),
});
