/** Which precisions a device has. */
import { ConfigError } from '../../errors.ts';
import type { TrainConfig } from '../settings/config.ts';

/** @throws {ConfigError} on the CPU, where libtorch has no convolutions in float16 */
export function checkPrecision({ precision, device }: Pick<TrainConfig, 'precision' | 'device'>): void {
  if (precision !== 'fp16' || device !== 'cpu') return;
  throw new ConfigError(
    'precision',
    'Expected --precision fp32 or bf16 on the CPU but received fp16, which needs a GPU: use --precision bf16, which is as small and needs no loss scale.',
  );
}
