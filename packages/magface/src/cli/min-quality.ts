/** Checks the flag `--min-quality`. */
import { ConfigError } from '../errors.ts';
import type { Recogniser } from './services.ts';

/** @throws {ConfigError} if `minQuality` is given but the model has no calibration */
export function expectCalibration({ name, contract }: Recogniser['model'], minQuality: number | undefined): void {
  if (minQuality === undefined || contract.calibration !== undefined) return;
  const remedy = 'fit one with `magface calibrate`';
  throw new ConfigError('min-quality', {
    expected: 'a calibrated model for --min-quality',
    problem: `${name} has no calibration`,
    remedy,
  });
}
