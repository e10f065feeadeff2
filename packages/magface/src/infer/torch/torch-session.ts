/** Runs a recogniser on libtorch, in the processor's fastest type, behind the interface of ONNX Runtime's sessions. */
import { builtAddon, cacheMemory, ForwardGraph, memoryStatistics } from '@magface/torch';
import { Tensor } from 'onnxruntime-common';
import { forwardPlan } from '../../graph/torch/forward-plan.ts';
import { magnitudeOf } from '../../quality.ts';
import type { NamedTensors, Session } from '../session.ts';

/** Memory to cache between batches: enough for a batch of 32 in an iResNet-100. */
const cachedBytes = 2 ** 30;

/** Versions behind the torch engine; undefined if @magface/torch is not compiled. Does not load the addon. */
export function torchVersions(): string | undefined {
  const built = builtAddon();
  return built && `libtorch ${built.libtorch}, ${built.addon}`;
}

/**
 * @param bytes - an ONNX file with a dynamic batch size
 * @throws {ModelError} `engine_unfit` if it has unsupported operators
 * @throws {LibtorchError} if the addon is not compiled or cannot be loaded
 */
export function createTorchSession(
  bytes: Uint8Array,
  { name, threads }: { readonly name: string; readonly threads: number },
): Session {
  const { steps, input, output, channelsLast, lengths } = forwardPlan(bytes, name);
  if (memoryStatistics().limit === 0) cacheMemory(cachedBytes);
  const graph = new ForwardGraph(steps, { input, output, threads });
  return {
    inputNames: [input],
    outputNames: ['embedding'],
    run: async (feeds): Promise<NamedTensors> => {
      const { data, dims } = feeds[input]!;
      const made = await graph.run(data as Float32Array, dims, { channelsLast });
      const values = lengths === undefined ? made : withLengths(made, dims[0]!, lengths);
      return { embedding: new Tensor('float32', values, [dims[0]!, values.length / dims[0]!]) };
    },
    release: async () => graph.release(),
  };
}

/**
 * @param joined - (N, D + 1): embeddings and, behind each, its length
 * @returns (N, D): embeddings of these lengths, within the limits
 */
function withLengths(joined: Float32Array, count: number, [low, high]: readonly [number, number]): Float32Array {
  const width = joined.length / count;
  const values = new Float32Array(joined.length - count);
  for (let face = 0; face < count; face++) {
    const row = joined.subarray(face * width, (face + 1) * width);
    const embedding = row.subarray(0, width - 1);
    const factor = Math.min(high, Math.max(low, row[width - 1]!)) / magnitudeOf(embedding);
    values.set(
      embedding.map((value) => value * factor),
      face * (width - 1),
    );
  }
  return values;
}
