/** ONNX Runtime in Node. */

import { env, InferenceSession } from 'onnxruntime-node';
import { ModelError } from '../../errors.ts';
import { cores } from '../../machine/cores.ts';

// Warnings of the runtime's graph optimizer are for its own developers.
env.logLevel = 'error';

export interface SessionOptions {
  /** The model as people call it, for errors. */
  readonly name: string;
  /** @default all cores that this process may use */
  readonly threads?: number | undefined;
}

/**
 * Between two runs of a network its threads would spin for the next one, while this thread draws and decodes: on two cores
 * a photo then took 138 ms instead of 80, and two and a half times the processor time.
 */
const idleThreadsSleep = { session: { intra_op: { allow_spinning: '0' } } } as const;

/**
 * @param bytes - a whole ONNX file
 * @throws {ModelError} `model_not_onnx` when the runtime cannot read it
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
    const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    const message = `Expected an ONNX model but ONNX Runtime cannot load ${options.name}: ${why}`;
    throw new ModelError('model_not_onnx', options.name, message, { cause });
  }
}
