/**
 * Drift: how far the embedding moves when the network is damaged a little. Faces that it knows well stay where they are.
 * It works for any recogniser in ONNX and trains nothing.
 */
import { ModelError } from '../../errors.ts';
import { parseOnnx, writeOnnx } from '../../graph/onnx/file.ts';
import type { ModelProto } from '../../graph/onnx/onnx_pb.ts';
import { dropoutEnsemble } from '../../graph/passes/dropout-ensemble.ts';
import { pruneWeights, roundWeights } from '../../graph/passes/prune-weights.ts';
import type { Embedder } from '../../infer/embedder.ts';
import { createEmbedder } from '../../infer/node/engine.ts';
import type { Engine } from '../../infer/node/tuning.ts';
import type { LoadedModel } from '../../models/load-model.ts';
import { eachPair, unitRows } from '../../row-products.ts';
import { compare } from '../../similarity.ts';
import type { QualityMethod } from './method.ts';

type Recogniser = LoadedModel<'recogniser'>;

/** Share of each layer's weights that pruning zeroes. */
const prunedShare = 0.4;

/** Subsets of features of the dropout method. */
const passes = 100;

/** Cosine of the embedding and that of the network without the smallest 40 % of its weights. */
export const pruningDrift = (model: Recogniser, engine: Engine): Promise<QualityMethod> =>
  drift('pruning', model, engine, ({ graph }) => pruneWeights(graph!, prunedShare, model.name));

/** Cosine of the embedding and that of the network with weights of 8 bits. */
export const roundingDrift = (model: Recogniser, engine: Engine): Promise<QualityMethod> =>
  drift('int8', model, engine, ({ graph }) => roundWeights(graph!, model.name));

async function drift(
  name: string,
  model: Recogniser,
  engine: Engine,
  change: (model: ModelProto) => void,
): Promise<QualityMethod> {
  const parsed = parseOnnx(model.bytes, model.name);
  change(parsed);
  const embedder = await createEmbedder({ ...model, bytes: writeOnnx(parsed, model.name) }, onnx(engine));
  return method(name, embedder, (damaged, own) => compare(own, damaged));
}

/**
 * SER-FIQ's measure: the embeddings of 100 random halves of the last layer's input lie close together for a good face.
 *
 *     2 σ(−2 / m² Σ_{i<j} d(x_i, x_j))   d: Euclidean distance of normalized embeddings
 *
 * The paper trains with dropout; here it is only applied, so models that never saw it are measured as well.
 *
 * @throws {ModelError} `method_unfit` if the model does not end in a linear layer
 * @see Terhörst et al., SER-FIQ, CVPR 2020, arXiv 2003.09373
 */
export async function dropoutSpread(model: Recogniser, engine: Engine): Promise<QualityMethod> {
  const parsed = parseOnnx(model.bytes, model.name);
  if (!dropoutEnsemble(parsed, model.name, { passes })) {
    throw new ModelError('method_unfit', model.name, {
      expected: `${model.name} to end in a linear layer (whose input dropout can vary)`,
      problem: 'it does not',
      remedy: 'choose another method, such as pruning',
    });
  }
  const length = model.contract.embeddingLength;
  const contract = { ...model.contract, embeddingLength: passes * length };
  const ensemble = { ...model, bytes: writeOnnx(parsed, model.name), contract };
  return method('dropout', await createEmbedder(ensemble, onnx(engine)), (all) => closeness(all, length));
}

function method(
  name: string,
  embedder: Embedder,
  score: (changed: Float32Array, own: Float32Array) => number,
): QualityMethod {
  return {
    name,
    measure: async (faces) => {
      const changed = await embedder.embed(faces.map(({ crop }) => crop));
      return faces.map(({ embedding }, i) => score(changed[i]!.embedding, embedding));
    },
    [Symbol.asyncDispose]: () => embedder[Symbol.asyncDispose](),
  };
}

/** ONNX Runtime runs every graph that the passes write. */
const onnx = (engine: Engine): Engine => ({ ...engine, name: 'onnx' });

/** @param all - (m · D) the embeddings of one face */
function closeness(all: Float32Array, length: number): number {
  const count = all.length / length;
  const rows = unitRows(Array.from({ length: count }, (_, i) => all.subarray(i * length, (i + 1) * length)));
  let sum = 0;
  eachPair(rows, length, (_i, _j, cosine) => {
    sum += Math.sqrt(Math.max(0, 2 - 2 * cosine));
  });
  return 2 / (1 + Math.exp((2 / count ** 2) * sum));
}
