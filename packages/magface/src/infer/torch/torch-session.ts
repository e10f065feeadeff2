/** A recogniser run by libtorch in the type that the processor is fastest in, under the interface of ONNX Runtime's sessions. */
import { builtAddon, cacheMemory, ForwardGraph, memoryStatistics } from '@magface/torch';
import { Tensor } from 'onnxruntime-common';
import type { NamedTensors, Session } from '../session.ts';
import { forwardPlan } from './forward-steps.ts';

/** Kept for the values of the next batch: a batch of 32 through an iResNet-100 needs less. */
const keptBytes = 2 ** 30;

/** What the engine torch is made of here; undefined where @magface/torch is not compiled. Nothing is loaded. */
export function torchVersions(): string | undefined {
  const built = builtAddon();
  return built && `libtorch ${built.libtorch}, ${built.addon}`;
}

/**
 * @param bytes - an ONNX file whose batch is free
 * @throws {ModelError} `engine_unfit` when it has operators beyond those of recognisers
 * @throws {LibtorchError} when the addon is not compiled, or cannot be loaded
 */
export function createTorchSession(
  bytes: Uint8Array,
  { name, threads }: { readonly name: string; readonly threads: number },
): Session {
  const { steps, input, output, channelsLast } = forwardPlan(bytes, name);
  if (memoryStatistics().limit === 0) cacheMemory(keptBytes);
  const graph = new ForwardGraph(steps, { input, output, threads });
  return {
    inputNames: [input],
    outputNames: ['embedding'],
    run: async (feeds): Promise<NamedTensors> => {
      const { data, dims } = feeds[input]!;
      const values = await graph.run(data as Float32Array, dims, { channelsLast });
      return { embedding: new Tensor('float32', values, [dims[0]!, values.length / dims[0]!]) };
    },
    release: async () => graph.release(),
  };
}
