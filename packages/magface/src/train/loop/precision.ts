/** The precisions that a device supports. */
import { ConfigError } from '../../errors.ts';
import type { TrainConfig } from '../settings/config.ts';

/** @throws {ConfigError} for float16 on the CPU, where libtorch has no convolutions in it */
export function checkPrecision({ precision, device }: Pick<TrainConfig, 'precision' | 'device'>): void {
  if (precision !== 'fp16' || device !== 'cpu') return;
  throw new ConfigError('precision', {
    expected: '--precision fp32 or bf16 on the CPU',
    received: 'fp16, which needs a GPU',
    remedy: 'use --precision bf16, which takes as little memory and needs no loss scale',
  });
}
