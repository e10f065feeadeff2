/**
 * Does the same quality mean the same FNMR in every group? Genuine pairs fall into bins of equal number by quality. In bin b
 * a share f_b of all its pairs is refused; of the n_gb pairs of group g in it, e_gb are.
 *
 *     expected FNMR of g = Σ_b n_gb · f_b / n_g      what its qualities alone promise
 *     ratio of g         = FNMR of g / expected      1 if quality means the same there, above 1 if it promises too much
 *     statistic          = Σ_b Σ_g (e_gb − n_gb · f_b)² / (n_gb · f_b · (1 − f_b))
 *
 * The chance of a statistic as high as this comes from shuffling the groups among people, since pairs of a person are not
 * independent. Intervals of the ratios are those of the bootstrap over people, with the threshold and the bins kept.
 *
 * @see Cochran, "Some methods for strengthening the common χ² tests", 1954, for strata; Good, "Permutation tests", 2000
 */
import { ConfigError, ShapeError } from '../errors.ts';
import { randomStream } from '../random.ts';
import { type DrawOptions, drawPeople, type Interval } from './bootstrap.ts';
import { knownInterval } from './compare-models.ts';
import type { PairIdentities } from './identities.ts';
import type { QualifiedPairs } from './quality-decision.ts';
import { pointAtFar, splitScores } from './roc.ts';

/** Genuine pairs of one bin, of all groups or of one. */
export interface FairnessCell {
  readonly genuine: number;
  /** Null without pairs. */
  readonly fnmr: number | null;
}

/** One group, over all bins and in each. */
export interface GroupFairness extends FairnessCell {
  readonly group: string;
  /** What the FNMR of all groups at these qualities gives. */
  readonly expected: number | null;
  /** FNMR over expected; null if nothing is expected. */
  readonly ratio: number | null;
  /** 95 %, by the bootstrap over people. */
  readonly ratioInterval: Interval | null;
  /** One per bin. */
  readonly bins: readonly FairnessCell[];
}

/** The meaning of quality over the groups of one column. */
export interface QualityFairness {
  readonly fmr: number;
  /** Accept when the similarity is this or more. */
  readonly threshold: number;
  /** Rising in quality; `from` is the lowest quality in the bin. */
  readonly bins: readonly (FairnessCell & { readonly from: number })[];
  /** In descending order of genuine pairs. */
  readonly groups: readonly GroupFairness[];
  readonly statistic: number;
  /** Share of shuffles with a statistic as high; null with fewer than two groups. Below 0.05: quality means different things. */
  readonly p: number | null;
}

/** Options of the test. */
export interface FairnessOptions extends DrawOptions {
  /** @default 0.001 */
  readonly fmr?: number;
  /** Number of bins. @default 5 */
  readonly bins?: number;
  /** @default 999 */
  readonly shuffles?: number;
}

/**
 * Tests whether quality means the same FNMR in every group.
 *
 * @param people - the identities in the pairs
 * @param column - (P) the group of each pair
 * @throws {ShapeError} if the column does not have one value per pair
 * @throws {MagfaceError} `evaluation_impossible` if there are too few impostors for the rate
 */
export function qualityFairness(
  pairs: QualifiedPairs,
  people: PairIdentities,
  options: FairnessOptions & { readonly column: readonly string[] },
): QualityFairness {
  const { column, fmr = 0.001, bins = 5, shuffles = 999, seed = 1 } = options;
  const { similarities, same, quality } = pairs;
  if (column.length !== same.length)
    throw new ShapeError({
      expected: 'one group per pair',
      received: `${column.length} for ${same.length} pairs`,
      remedy: 'complete the column',
    });
  if (!Number.isInteger(bins) || bins < 1)
    throw new ConfigError('bins', { expected: 'one or more bins', received: bins, remedy: 'use 10, for example' });
  const { threshold } = pointAtFar(splitScores(similarities, same), fmr);
  const genuine = Array.from(same.keys()).filter((pair) => same[pair] === 1);
  const names = [...new Set(genuine.map((pair) => column[pair]!))];
  const { binOf, starts } = equalBins(genuine, quality, bins);
  const table: Table = {
    bin: Uint32Array.from(genuine, (pair) => binOf.get(pair)!),
    refused: Uint8Array.from(genuine, (pair) => (similarities[pair]! < threshold ? 1 : 0)),
    bins: starts.length,
    groups: names.length,
  };
  const group = Uint32Array.from(genuine, (pair) => names.indexOf(column[pair]!));
  const counts = countCells(table, group);
  const draws = drawPeople(same, people, options, (weights) =>
    ratiosOf(
      countCells(
        table,
        group,
        Float64Array.from(genuine, (pair) => weights[pair]!),
      ),
    ),
  );
  const ratios = ratiosOf(counts);
  const statistic = statisticOf(counts);
  const cell = (g: number | undefined, b: number | undefined): FairnessCell => cellOf(counts, g, b);
  return {
    fmr,
    threshold,
    bins: starts.map((from, b) => ({ from, ...cell(undefined, b) })),
    groups: names
      .map((name, g) => ({
        group: name,
        ...cell(g, undefined),
        expected: expectedOf(counts, g),
        ratio: Number.isNaN(ratios[g]!) ? null : ratios[g]!,
        ratioInterval: knownInterval(Float64Array.from(draws, (draw) => draw[g]!)),
        bins: starts.map((_, b) => cell(g, b)),
      }))
      .sort((a, b) => b.genuine - a.genuine),
    statistic,
    p:
      names.length < 2
        ? null
        : shuffledShare(
            { table, group, statistic },
            { shuffles, seed, person: genuine.map((pair) => people.left[pair]!) },
          ),
  };
}

interface Table {
  /** (G) of each genuine pair. */
  readonly bin: Uint32Array;
  readonly refused: Uint8Array;
  readonly bins: number;
  readonly groups: number;
}

/** Pairs and refused pairs by group and bin, at `group * bins + bin`. */
interface Counts extends Pick<Table, 'bins' | 'groups'> {
  readonly pairs: Float64Array;
  readonly errors: Float64Array;
}

function countCells({ bin, refused, bins, groups }: Table, group: Uint32Array, weights?: Float64Array): Counts {
  const [pairs, errors] = [new Float64Array(bins * groups), new Float64Array(bins * groups)];
  bin.forEach((b, i) => {
    const [at, weight] = [group[i]! * bins + b, weights?.[i] ?? 1];
    pairs[at]! += weight;
    errors[at]! += weight * refused[i]!;
  });
  return { bins, groups, pairs, errors };
}

/** Sums over the groups or bins that are left out. */
function cellOf({ bins, groups, pairs, errors }: Counts, group?: number, bin?: number): FairnessCell {
  let [genuine, refused] = [0, 0];
  for (let g = 0; g < groups; g++)
    for (let b = 0; b < bins; b++) {
      if (g !== (group ?? g) || b !== (bin ?? b)) continue;
      genuine += pairs[g * bins + b]!;
      refused += errors[g * bins + b]!;
    }
  return { genuine, fnmr: genuine === 0 ? null : refused / genuine };
}

function expectedOf(counts: Counts, group: number): number | null {
  let [sum, genuine] = [0, 0];
  for (let b = 0; b < counts.bins; b++) {
    const here = counts.pairs[group * counts.bins + b]!;
    sum += here * (cellOf(counts, undefined, b).fnmr ?? 0);
    genuine += here;
  }
  return genuine === 0 ? null : sum / genuine;
}

/** (groups) NaN if nothing is expected. */
const ratiosOf = (counts: Counts): number[] =>
  Array.from(
    { length: counts.groups },
    (_, g) => (cellOf(counts, g).fnmr ?? Number.NaN) / (expectedOf(counts, g) || Number.NaN),
  );

function statisticOf(counts: Counts): number {
  let sum = 0;
  for (let b = 0; b < counts.bins; b++) {
    const rate = cellOf(counts, undefined, b).fnmr ?? 0;
    if (rate === 0 || rate === 1) continue;
    for (let g = 0; g < counts.groups; g++) {
      const here = counts.pairs[g * counts.bins + b]!;
      if (here > 0) sum += (counts.errors[g * counts.bins + b]! - here * rate) ** 2 / (here * rate * (1 - rate));
    }
  }
  return sum;
}

/** Blocks of one person in one group change groups as a whole. */
function shuffledShare(
  { table, group, statistic }: { readonly table: Table; readonly group: Uint32Array; readonly statistic: number },
  { shuffles, seed, person }: { readonly shuffles: number; readonly seed: number; readonly person: readonly number[] },
): number {
  const random = randomStream(seed);
  const blocks = new Map<string, number>();
  const block = Uint32Array.from(group, (g, i) => {
    const key = `${person[i]} ${g}`;
    const number = blocks.get(key) ?? blocks.size;
    blocks.set(key, number);
    return number;
  });
  const groups = Uint32Array.from(blocks.keys(), (key) => Number(key.split(' ')[1]));
  let asHigh = 0;
  for (let k = 0; k < shuffles; k++) {
    for (let i = groups.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [groups[i], groups[j]] = [groups[j]!, groups[i]!];
    }
    const counts = countCells(
      table,
      block.map((of) => groups[of]!),
    );
    if (statisticOf(counts) >= statistic - 1e-9) asHigh++;
  }
  return (asHigh + 1) / (shuffles + 1);
}

/** Bins of equal number; pairs of equal quality share one. */
function equalBins(
  genuine: readonly number[],
  quality: Float64Array,
  bins: number,
): { readonly binOf: ReadonlyMap<number, number>; readonly starts: readonly number[] } {
  const order = genuine.toSorted((a, b) => quality[a]! - quality[b]!);
  const binOf = new Map<number, number>();
  const starts: number[] = [];
  order.forEach((pair, i) => {
    const isNew = i === 0 || quality[pair] !== quality[order[i - 1]!];
    const due = Math.floor((i * bins) / order.length);
    if (isNew && due >= starts.length) starts.push(quality[pair]!);
    binOf.set(pair, starts.length - 1);
  });
  return { binOf, starts };
}
