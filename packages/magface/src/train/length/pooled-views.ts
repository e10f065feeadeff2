/** Runs a recogniser on faces in views and keeps embeddings and pooled feature maps. */
import { clone } from '@bufbuild/protobuf';
import { scope } from '@magface/torch';
import { Tensor } from 'onnxruntime-common';
import { ConfigError } from '../../errors.ts';
import { embeddingOf } from '../../graph/nodes.ts';
import { writeOnnx } from '../../graph/onnx/file.ts';
import { type ModelProto, ModelProtoSchema } from '../../graph/onnx/onnx_pb.ts';
import { addOutput, addPooled, chooseTaps, mapsOf } from '../../graph/passes/length-branch.ts';
import { createSession } from '../../infer/node/session.ts';
import type { InputContract } from '../../models/contract.ts';
import { faceBytes, faceSize } from '../data/decode-sample.ts';
import { type AugmentedSample, inputTensor, type ViewReader } from '../finetune/view-reader.ts';

/** Small batches fit in the processor's caches. */
const batchSize = 16;

/** A model under study. */
export interface StudiedModel {
  /** With a free batch size. */
  readonly model: ModelProto;
  readonly name: string;
  readonly input: InputContract;
}

/** What the network says of faces, one row each. */
export interface Pooled {
  /** (N, D) */
  readonly embeddings: Float32Array;
  /** (N, ΣC) */
  readonly pooled: Float32Array;
}

/** A feature map that a length branch reads. */
export interface Tap {
  readonly value: string;
  readonly channels: number;
}

/**
 * @param names - of feature maps. @default those of {@link chooseTaps}
 * @returns the feature maps, by a run on a blank face; none if the network has no maps
 * @throws {ConfigError} if a name is not that of a feature map
 */
export async function tapsOf({ model, name, input }: StudiedModel, names?: readonly string[]): Promise<Tap[]> {
  const studied = clone(ModelProtoSchema, model);
  const maps = mapsOf(studied, name);
  const existing = new Set(studied.graph!.output.map((output) => output.name));
  for (const map of maps) if (!existing.has(map)) addOutput(studied, map);
  const session = await createSession(writeOnnx(studied, name), { name, threads: 1 });
  try {
    const dims = input.layout === 'NCHW' ? [1, 3, faceSize, faceSize] : [1, faceSize, faceSize, 3];
    const blank = new Tensor('float32', new Float32Array(faceBytes), dims);
    const found = await session.run({ [session.inputNames[0]!]: blank }, maps);
    const shapes = maps.map((map) => ({ name: map, dims: found[map]!.dims }));
    const spatial = shapes.filter(({ dims }) => dims.length === 4 && dims[2]! > 1).map((map) => map.name);
    return (names === undefined ? chooseTaps(model, spatial, name) : expectMaps(names, spatial)).map((value) => ({
      value,
      channels: found[value]!.dims[1]!,
    }));
  } finally {
    await session.release();
  }
}

function expectMaps(names: readonly string[], maps: readonly string[]): string[] {
  const wrong = names.find((name) => !maps.includes(name));
  if (wrong === undefined) return [...new Set(names)];
  throw new ConfigError('taps', {
    expected: 'names of feature maps that layers read',
    received: `"${wrong}"`,
    remedy: `the network has ${maps.join(', ')}`,
  });
}

export interface PooledViewsOptions {
  readonly taps: readonly string[];
  readonly reader: ViewReader;
  readonly threads: number;
  readonly signal?: AbortSignal | undefined;
  /** @param done - faces done */
  readonly onProgress: (done: number) => void;
}

/** Embeds faces in views. */
export async function pooledViews(
  { model, name, input }: StudiedModel,
  requests: readonly AugmentedSample[],
  { taps, reader, threads, signal, onProgress }: PooledViewsOptions,
): Promise<Pooled> {
  const studied = clone(ModelProtoSchema, model);
  const output = embeddingOf(studied.graph!);
  addPooled(studied, taps);
  const session = await createSession(writeOnnx(studied, name), { name, threads });
  let [embeddings, pooled]: [Float32Array | undefined, Float32Array | undefined] = [undefined, undefined];
  try {
    for (let start = 0; start < requests.length; start += batchSize) {
      signal?.throwIfAborted();
      const batch = requests.slice(start, start + batchSize);
      const found = await session.run({ [session.inputNames[0]!]: fed(await reader.read(batch), input) }, [
        output,
        'pooled',
      ]);
      const [own, means] = [found[output]!.data as Float32Array, found['pooled']!.data as Float32Array];
      embeddings ??= new Float32Array((own.length / batch.length) * requests.length);
      pooled ??= new Float32Array((means.length / batch.length) * requests.length);
      embeddings.set(own, (own.length / batch.length) * start);
      pooled.set(means, (means.length / batch.length) * start);
      onProgress(start + batch.length);
    }
  } finally {
    await session.release();
  }
  return { embeddings: embeddings!, pooled: pooled! };
}

function fed(faces: Uint8Array, input: InputContract): Tensor {
  using _scope = scope();
  const values = inputTensor(faces, input);
  return new Tensor('float32', Float32Array.from(values.toArray() as Float32Array), values.shape);
}
