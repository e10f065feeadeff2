/** Checks that a model treats each face of a batch as it treats a single face: the test of onnx/batch.ts. */
import { Tensor } from 'onnxruntime-common';
import type { InferenceSession } from '../infer/node/onnx-runtime.ts';
import { createSession } from '../infer/node/session.ts';

export interface CheckBatchOptions {
  /** Display name of the model, for errors. */
  readonly name: string;
  /** Shape of one face, without the batch. */
  readonly dims: readonly number[];
}

/**
 * Runs three random faces one by one through the original model, and as a batch through the new one.
 *
 * @returns the largest difference relative to the largest value; infinite if sizes differ
 * @throws {ModelError} if the runtime cannot load a model
 */
export async function batchDifference(
  fixed: Uint8Array,
  freed: Uint8Array,
  { name, dims }: CheckBatchOptions,
): Promise<number> {
  const [one, many] = [await createSession(fixed, { name }), await createSession(freed, { name })];
  try {
    const size = dims.reduce((product, length) => product * length, 1);
    const input = Float32Array.from({ length: 3 * size }, (_, i) => ((Math.sin(i * 12.9898) * 43758.5453) % 1) * 2);
    const alone: Float32Array[] = [];
    for (let i = 0; i < 3; i++) alone.push(await run(one, input.slice(i * size, (i + 1) * size), [1, ...dims]));
    const expected = Float32Array.from(alone.flatMap((values) => [...values]));
    const found = await run(many, input, [3, ...dims]).catch(() => new Float32Array());
    if (found.length !== expected.length) return Number.POSITIVE_INFINITY;
    const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), Number.MIN_VALUE);
    return found.reduce((most, value, i) => Math.max(most, Math.abs(value - expected[i]!)), 0) / largest;
  } finally {
    await one.release();
    await many.release();
  }
}

async function run(session: InferenceSession, values: Float32Array, dims: readonly number[]): Promise<Float32Array> {
  const outputs = await session.run({ [session.inputNames[0]!]: new Tensor('float32', values, dims) });
  return outputs[session.outputNames[0]!]!.data as Float32Array;
}
