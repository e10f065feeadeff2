/**
 * The mean of models that were finetuned from one model. On the way between them, a network is often better than each: errors that
 * differ from run to run cancel, and the initial model's share keeps what it knew.
 *
 * Source: Wortsman et al., "Model soups" (ICML 2022) and "Robust fine-tuning of zero-shot models" (CVPR 2022).
 */
import { ConfigError } from '../errors.ts';
import { makeReady, parseOnnx, writeOnnx } from '../graph/onnx/file.ts';
import { averageWeights, type WeightedModel } from '../graph/passes/average-weights.ts';
import type { LoadedModel } from '../models/load-model.ts';
import { replaceRecord } from '../models/with-contract.ts';

/** A model to average. */
export type AveragedModel = Pick<LoadedModel<'recogniser'>, 'bytes' | 'contract' | 'name'>;

/**
 * Averages the weights of recognisers with one graph.
 *
 * @param models - two or more; the graph and the record are the first one's
 * @param shares - how much each counts, relative to the others. @default all the same
 * @returns an ONNX file. Its record has no scale, no thresholds and no likelihood ratios: they depend on the weights
 * @throws {ConfigError} if there is one model alone, or not one share above 0 for each
 * @throws {FormatError} if the graphs differ
 */
export function averageModels(
  models: readonly AveragedModel[],
  shares: readonly number[] = models.map(() => 1),
): Uint8Array {
  const [first] = models;
  if (first === undefined || models.length < 2) {
    throw new ConfigError('models', {
      expected: 'two or more models to average',
      received: `${models.length}`,
      remedy: 'add models that were finetuned from the same one',
    });
  }
  if (shares.length !== models.length || !shares.every((share) => share > 0)) {
    throw new ConfigError('shares', {
      expected: `a share above 0 for each of the ${models.length} models`,
      received: shares.join(' '),
      remedy: 'give them in the order of the models',
    });
  }
  const whole = shares.reduce((sum, share) => sum + share, 0);
  const weighted = models.map(({ bytes, name }, i): WeightedModel => {
    const model = parseOnnx(bytes, name);
    makeReady(model, name);
    return { model, name, share: shares[i]! / whole };
  });
  averageWeights(weighted as [WeightedModel, ...WeightedModel[]]);
  const { model, name } = weighted[0]!;
  const { calibration: _, thresholds: __, likelihood: ___, weightsDigest: ____, ...kept } = first.contract;
  replaceRecord(model, kept);
  return writeOnnx(model, name);
}
