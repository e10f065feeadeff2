/** ONNX Runtime sessions in Node. */

import { cores } from '../../machine/cores.ts';
import { unloadable } from '../session.ts';
import { openOnDevice } from './device.ts';
import type { Device } from './device-names.ts';
import { env, InferenceSession } from './onnx-runtime.ts';

// The warnings of the graph optimizer are of use only to ONNX Runtime's developers.
env.logLevel = 'error';

export interface SessionOptions {
  /** Name of the model, for errors. */
  readonly name: string;
  /** @default all cores that this process may use */
  readonly threads?: number | undefined;
  /** @default 'cpu' */
  readonly device?: Device | undefined;
}

/**
 * By default a network's threads spin between runs, while this thread decodes and draws. On two cores a photo then took
 * 138 ms instead of 80 ms, and 2.5 times the CPU time.
 */
const idleThreadsSleep = { session: { intra_op: { allow_spinning: '0' } } } as const;

/**
 * @param bytes - a complete ONNX file
 * @throws {ModelError} `model_not_onnx` if the runtime cannot read it; `engine_unfit` if the device gives other numbers than the CPU
 * @throws {ConfigError} if the device cannot be used here
 */
export async function createSession(bytes: Uint8Array, options: SessionOptions): Promise<InferenceSession> {
  const { name, threads = cores(), device = 'cpu' } = options;
  const settings = {
    intraOpNumThreads: threads,
    executionMode: 'sequential',
    logSeverityLevel: 3,
    extra: idleThreadsSleep,
  } as const;
  if (device !== 'cpu') return openOnDevice(bytes, device, { ...settings, name });
  try {
    return await InferenceSession.create(bytes, settings);
  } catch (cause) {
    throw unloadable(name, cause);
  }
}
