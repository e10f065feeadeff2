/**
 * Likelihood ratios of the default model on people to whom nothing was fitted: LFW's test people and CFP's people 51 to 100,
 * frontal and in profile. Cllr beside its least (what an ideal function of the same order would cost), beside a ratio from the similarity
 * alone, and reliability in ten bins:
 *
 *     npx tsx -C magface:source bench/likelihood.ts [FEATURES_FOLDER]
 *
 * Writes bench/results/likelihood.json. The weights are those of the model's record (`npm run model:likelihood`).
 */
import { defaultModels, likelihoodRatio, MagFace } from 'magface';
import { likelihoodCost } from '../packages/magface/src/eval/likelihood-cost.ts';
import { fitLogistic } from '../packages/magface/src/eval/reliability.ts';
import { clusterSets, featuresOf } from './support/cluster-sets.ts';
import { likelihoodPairs, type PeopleSet } from './support/likelihood-pairs.ts';
import { writeResult } from './support/result.ts';

await using magface = await MagFace.load({ detector: false });
const { likelihood } = magface.model.contract;
if (likelihood === undefined) throw new Error('Expected weights in the record: run `npm run model:likelihood`.');

const personOf = (name: string): string => /^(?:cfp-dev\/\d+|(?:lfw|celeba)\/aligned\/[^/]+)/.exec(name)![0];

async function setOf(at: number, keep: (person: string) => boolean): Promise<PeopleSet & { readonly set: string }> {
  const { values, dimension, names } = await featuresOf(clusterSets[at]!);
  const people = names!.map(personOf);
  return { values, dimension, people, kept: people.map(keep), set: clusterSets[at]!.set };
}

const digits = (value: number): number => Number(value.toFixed(4));
const sets = [await setOf(0, (person) => Number(person.split('/')[1]) > 50), await setOf(1, () => true)];
const results = sets.map((set) => {
  const { pairs } = likelihoodPairs([set], { genuine: 5000, impostors: 50_000 });
  const logs = (use: (i: number) => number): Float64Array => Float64Array.from(pairs.same.keys(), use);
  const ours = likelihoodCost(
    logs((i) => Math.log(likelihoodRatio(pairs.similarities[i]!, [pairs.magnitudes[i]!, 99], likelihood).ratio)),
    pairs.same,
  );
  // The best that the similarity alone could do here, fitted to these very pairs.
  const genuineShare = pairs.same.reduce((sum, one) => sum + one, 0) / pairs.same.length;
  const plain = fitLogistic(pairs.similarities, pairs.same);
  const prior = Math.log(genuineShare / (1 - genuineShare));
  const alone = likelihoodCost(
    logs((i) => plain.intercept + plain.slope * pairs.similarities[i]! - prior),
    pairs.same,
  );
  return {
    set: set.set === clusterSets[0]!.set ? 'CFP, people 51 to 100, frontal and profile' : set.set,
    pairs: pairs.same.length,
    cllr: digits(ours.cllr),
    cllrMin: digits(ours.cllrMin),
    similarityAloneFittedHere: { cllr: digits(alone.cllr), cllrMin: digits(alone.cllrMin) },
    reliability: ours.bins.map(({ predicted, accepted }) => ({ said: digits(predicted), were: digits(accepted) })),
  };
});
writeResult('likelihood', { model: defaultModels.recogniser, results });
