/** Runs a network on one face at a time and observes its inner values. */
import { clone, create } from '@bufbuild/protobuf';
import { Tensor } from 'onnxruntime-common';
import { indexGraph } from '../graph/nodes.ts';
import { writeOnnx } from '../graph/onnx/file.ts';
import { type ModelProto, ModelProtoSchema, ValueInfoProtoSchema } from '../graph/onnx/onnx_pb.ts';
import { createSession } from '../infer/node/session.ts';

export interface ObserveOptions {
  /** Display name of the model, for errors. */
  readonly name: string;
  /** (3, 112, 112) or (112, 112, 3) float32 each, as the model's input. */
  readonly faces: readonly Float32Array[];
  /** Shape of one face with its batch of one. */
  readonly dims: readonly number[];
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onFace?: (() => void) | undefined;
}

/** Receives the name, numbers and shape of a value. */
export type Look = (name: string, values: Float32Array, dims: readonly number[]) => void;

/**
 * @param values - names of the values to observe, which may include the network's input
 * @param rounds - each observes every face once, in order
 * @throws {ModelError} if the runtime cannot run the network
 */
export async function observe(
  model: ModelProto,
  values: readonly string[],
  rounds: readonly Look[],
  options: ObserveOptions,
): Promise<void> {
  if (values.length === 0) return;
  const { name, faces, dims, threads, signal, onFace } = options;
  const open = clone(ModelProtoSchema, model);
  const outputs = new Set(open.graph!.output.map((output) => output.name));
  const [input = ''] = indexGraph(open.graph!, name).inputs;
  const more = new Set(values.filter((value) => value !== input && !outputs.has(value)));
  open.graph!.output.push(...[...more].map((value) => create(ValueInfoProtoSchema, { name: value })));
  const session = await createSession(writeOnnx(open, name), { name, threads });
  const wanted = values.filter((value) => value !== input);
  try {
    for (const look of rounds) {
      for (const face of faces) {
        signal?.throwIfAborted();
        const result = await session.run({ [input]: new Tensor('float32', face.slice(), dims) }, wanted);
        if (values.includes(input)) look(input, face, dims);
        for (const value of wanted) look(value, result[value]!.data as Float32Array, result[value]!.dims);
        onFace?.();
      }
    }
  } finally {
    await session.release();
  }
}
