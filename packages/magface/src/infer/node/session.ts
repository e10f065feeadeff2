/** ONNX Runtime sessions in Node. */
import './telemetry.ts';
import { env, InferenceSession } from 'onnxruntime-node';
import { cores } from '../../machine/cores.ts';
import { unloadable } from '../session.ts';

// The warnings of the graph optimizer are of use only to ONNX Runtime's developers.
env.logLevel = 'error';

export interface SessionOptions {
  /** Name of the model, for errors. */
  readonly name: string;
  /** @default all cores that this process may use */
  readonly threads?: number | undefined;
}

/**
 * By default a network's threads spin between runs, while this thread decodes and draws. On two cores a photo then took
 * 138 ms instead of 80 ms, and 2.5 times the CPU time.
 */
const idleThreadsSleep = { session: { intra_op: { allow_spinning: '0' } } } as const;

/**
 * @param bytes - a complete ONNX file
 * @throws {ModelError} `model_not_onnx` if the runtime cannot read it
 */
export async function createSession(bytes: Uint8Array, options: SessionOptions): Promise<InferenceSession> {
  const threads = options.threads ?? cores();
  try {
    return await InferenceSession.create(bytes, {
      intraOpNumThreads: threads,
      executionMode: 'sequential',
      logSeverityLevel: 3,
      extra: idleThreadsSleep,
    });
  } catch (cause) {
    throw unloadable(options.name, cause);
  }
}
