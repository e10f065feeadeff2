/**
 * Runs a recogniser on libtorch behind the interface of ONNX Runtime's sessions: by a plan with packed weights, in the processor's
 * fastest type. A network with other operators runs one operator after another, as in training: in float32, and its thread waits.
 */
import {
  builtAddon,
  cacheMemory,
  ForwardGraph,
  fromArray,
  memoryStatistics,
  noGrad,
  scope,
  threads,
} from '@magface/torch';
import { Tensor } from 'onnxruntime-common';
import { MagfaceError } from '../../errors.ts';
import { type ForwardPlan, forwardPlan, type LengthRule } from '../../graph/torch/forward-plan.ts';
import type { Network } from '../../graph/torch/network.ts';
import { openGraph } from '../../graph/torch/open-graph.ts';
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
 * @throws {ModelError} `engine_unfit` if it has operators that neither way knows
 * @throws {LibtorchError} if the addon is not compiled or cannot be loaded
 */
export function createTorchSession(
  bytes: Uint8Array,
  { name, threads: count }: { readonly name: string; readonly threads: number },
): Session {
  const plan = planOrNetwork(bytes, name);
  if (memoryStatistics().limit === 0) cacheMemory(cachedBytes);
  return 'steps' in plan ? plannedSession(plan, count) : networkSession(plan, count);
}

/** @throws {ModelError} `engine_unfit` naming what a plan lacks, if the network cannot run either */
function planOrNetwork(bytes: Uint8Array, name: string): ForwardPlan | Network {
  try {
    return forwardPlan(bytes, name);
  } catch (unfit) {
    if (!(unfit instanceof MagfaceError && unfit.code === 'engine_unfit')) throw unfit;
    try {
      return openGraph(bytes, name);
    } catch (error) {
      if (error instanceof MagfaceError && error.code === 'model_untrainable') throw unfit;
      throw error;
    }
  }
}

function networkSession(network: Network, count: number): Session {
  threads(count);
  return {
    inputNames: [network.input],
    outputNames: ['embedding'],
    run: async (feeds): Promise<NamedTensors> => {
      using _scope = scope();
      using _ = noGrad();
      const { data, dims } = feeds[network.input]!;
      const made = network.forward(fromArray(data as Float32Array, dims)); // (N, D)
      return { embedding: new Tensor('float32', made.toArray() as Float32Array, [...made.shape]) };
    },
    release: async () => {
      for (const tensor of network.tensors.values()) tensor.dispose();
    },
  };
}

function plannedSession({ steps, input, output, channelsLast, lengths }: ForwardPlan, count: number): Session {
  const graph = new ForwardGraph(steps, { input, output, threads: count });
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
 * @param joined - (N, D + 1): embeddings and, behind each, what the maps tell of its length
 * @returns (N, D): embeddings of the lengths that the rule makes
 */
function withLengths(joined: Float32Array, count: number, { own, limits: [low, high] }: LengthRule): Float32Array {
  const width = joined.length / count;
  const values = new Float32Array(joined.length - count);
  for (let face = 0; face < count; face++) {
    const row = joined.subarray(face * width, (face + 1) * width);
    const embedding = row.subarray(0, width - 1);
    const had = magnitudeOf(embedding);
    const factor = Math.min(high, Math.max(low, own * had + row[width - 1]!)) / had;
    values.set(
      embedding.map((value) => value * factor),
      face * (width - 1),
    );
  }
  return values;
}
