/** The figures of a run under the names that trackers show: TensorBoard, MLflow, Weights & Biases. */
import type { ValidationRow } from '../loop/validate.ts';
import type { MetricsRow } from './metrics.ts';

/** Values by name; a slash separates a group from what it holds. */
export type Scalars = Readonly<Record<string, number>>;

export const metricScalars = (row: MetricsRow): Scalars => ({
  'loss/total': row.loss,
  'loss/identity': row.lossId,
  'loss/g': row.lossG,
  ...(row.lossTeacher !== undefined && { 'loss/teacher': row.lossTeacher }),
  accuracy: row.accuracy,
  lr: row.lr,
  'magnitude/mean': row.magnitudeMean,
  'magnitude/min': row.magnitudeMin,
  'magnitude/max': row.magnitudeMax,
  margin: row.marginMean,
  imagesPerSecond: row.imagesPerSecond,
  'memory/peakMiB': row.memoryPeak ?? 0,
});

export const validationScalars = ({ accuracy, auc }: Pick<ValidationRow, 'accuracy' | 'auc'>): Scalars => ({
  'validation/accuracy': accuracy,
  'validation/auc': auc,
});
