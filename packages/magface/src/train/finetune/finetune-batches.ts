/** The batches of a finetuning run: faces in planned views, with targets from the starting model's features. */
import { readAhead } from '../data/read-ahead.ts';
import { stepsPerEpoch } from '../data/sample-order.ts';
import type { Dataset } from '../data/samples.ts';
import type { BatchSource } from '../loop/training-loop.ts';
import type { MagFaceConstants } from '../model/magface-loss.ts';
import { type Rank, shareOf } from '../parallel/shares.ts';
import { type BatchPlanOptions, plannedBatches } from './batch-plan.ts';
import type { FinetuneTargets } from './finetune-loss.ts';
import type { FinetuneBatch } from './finetuner.ts';
import type { StartKnowledge } from './start-knowledge.ts';
import { targetMagnitudes } from './target-magnitudes.ts';
import type { ViewPlace, ViewSource } from './view-source.ts';

/** Minimum cosine to the person's other faces. Training on a less recognisable face would teach chance. */
const leastRecognisability = 0.3;

export interface FinetuneBatchesOptions extends Pick<BatchPlanOptions, 'seed' | 'batchSize' | 'degrade'> {
  readonly dataset: Dataset;
  readonly start: StartKnowledge;
  readonly constants: MagFaceConstants;
  /** This process's share of each batch. */
  readonly ranks: Rank;
}

export function finetuneBatches(source: ViewSource, options: FinetuneBatchesOptions): BatchSource<FinetuneBatch> {
  const { dataset, start } = options;
  const { samples } = dataset;
  const share = shareOf(options.batchSize, options.ranks);
  const plan = { ...options, samples: samples.length, views: source.views };
  const rowOf = ({ sample, view }: ViewPlace): number => view * samples.length + sample;
  const damage = Array.from(start.own, (_, row) =>
    source.damage({ sample: row % samples.length, view: Math.floor(row / samples.length) }),
  );
  const magnitudes = targetMagnitudes(start.own, damage, options.constants); // (V, N): t

  const targetsOf = (places: readonly ViewPlace[]): FinetuneTargets => {
    const rows = places.map(rowOf);
    const recognisable = [...places.keys()].filter((i) => start.own[rows[i]!]! >= leastRecognisability);
    return {
      labels: BigInt64Array.from(places, ({ sample }) => BigInt(samples.at(sample)!.label)),
      start: directionsOf(places, start),
      magnitudes: Float32Array.from(rows, (row) => magnitudes[row]!),
      recognisable: BigInt64Array.from(recognisable.length > 0 ? recognisable : [0], BigInt),
    };
  };

  return {
    dataset,
    stepsPerEpoch: stepsPerEpoch(options.batchSize, samples.length),
    batches: (epoch, firstStep) =>
      readAhead([...plannedBatches(epoch, plan)].slice(firstStep), async (places) => {
        const own = places.slice(share.first, share.first + share.count);
        return {
          indices: Uint32Array.from(own, ({ sample }) => sample),
          load: await source.load(own),
          targets: targetsOf(places),
        };
      }),
  };
}

/** @returns (n, D): f⁰ of each face */
function directionsOf(places: readonly ViewPlace[], { directions }: StartKnowledge): Float32Array {
  const { values, dimension } = directions;
  const own = new Float32Array(places.length * dimension);
  for (const [i, { sample }] of places.entries()) {
    own.set(values.subarray(sample * dimension, (sample + 1) * dimension), i * dimension);
  }
  return own;
}
