/**
 * One-to-many identification against a gallery: ranks subjects by cosine to the probe, each with its best
 * template.
 *
 *     CMC(r)     share of mated probes (their subject is in the gallery) whose subject is among the r most alike
 *     TPIR(FPIR) share of mated probes whose subject is first and at or above t, where t lets a share FPIR of the
 *                non-mated probes' most alike subject pass
 *
 * @see Maze et al., "IARPA Janus Benchmark - C", ICB 2018, 1:N mixed-media protocol; ISO/IEC 19795-1
 */
import { MagfaceError } from '../errors.ts';
import { rowFinder } from './ijb.ts';
import type { TemplateSubjects } from './ijb-files.ts';
import { scorePairs } from './pair-scores.ts';
import { canMeasure, countBelow, nextAbove } from './roc.ts';
import type { Templates } from './templates.ts';

/** Options of identification. */
export interface IdentificationOptions {
  /** @default 1, 5, 10 */
  readonly ranks?: readonly number[];
  /** @default 0.01, 0.1 */
  readonly fpir?: readonly number[];
  /** What comes before the probe's subject is counted by: other subjects, or all their templates. @default 'subjects' */
  readonly rankBy?: 'subjects' | 'templates';
  /** Largest number of threads. @default one per core */
  readonly threads?: number;
}

/** Results for one gallery. */
export interface Identification {
  /** Subjects in the gallery. */
  readonly gallery: number;
  readonly matedProbes: number;
  readonly nonMatedProbes: number;
  /** From the rank to the share found. */
  readonly cmc: Readonly<Record<string, number>>;
  /** From the rate to the share identified; null if there are too few non-mated probes. */
  readonly tpirAtFpir: Readonly<Record<string, number | null>>;
}

/** Scores in memory at once: 64 MB. */
const scoresAtOnce = 1 << 24;

/**
 * Searches every probe in the gallery: CMC by rank, and TPIR at FPIR.
 *
 * @throws {ShapeError} if a list names a template without features
 * @throws {MagfaceError} `evaluation_impossible` if no probe's subject is in the gallery
 */
export async function identify(
  templates: Templates,
  gallery: TemplateSubjects,
  options: IdentificationOptions & { readonly probes: TemplateSubjects },
): Promise<Identification> {
  const { probes, ranks = [1, 5, 10], fpir = [0.01, 0.1], rankBy = 'subjects', threads } = options;
  const rowOf = rowFinder(templates.ids);
  const [galleryRows, probeRows] = [gallery.template.map(rowOf), probes.template.map(rowOf)];
  const subjects = new Map(Array.from(new Set(gallery.subject), (subject, i) => [subject, i]));
  const subjectOf = gallery.subject.map((subject) => subjects.get(subject)!);
  const found: Found[] = [];
  const step = Math.max(1, Math.floor(scoresAtOnce / galleryRows.length));
  for (let from = 0; from < probeRows.length; from += step) {
    const block = probeRows.subarray(from, from + step);
    const scores = await scorePairs({ ...templates, ...everyPair(block, galleryRows) }, threads);
    block.forEach((_, i) => {
      const row = scores.subarray(i * galleryRows.length, (i + 1) * galleryRows.length);
      const subject = subjects.get(probes.subject[from + i]!);
      const best = bestPerSubject(row, subjectOf, subjects.size);
      found.push(rankBy === 'subjects' ? rankOf(best, subject) : rankAmong(row, subjectOf, best, subject));
    });
  }
  return summarize(found, { gallery: subjects.size, ranks, fpir });
}

/** The search result of one probe. */
interface Found {
  /** 1 if its subject is first; undefined for a non-mated probe. */
  readonly rank: number | undefined;
  /** Similarity of the first subject. */
  readonly top: number;
}

function everyPair(probes: Int32Array, gallery: Int32Array): { left: Int32Array; right: Int32Array } {
  const [left, right] = [0, 1].map(() => new Int32Array(new SharedArrayBuffer(probes.length * gallery.length * 4)));
  probes.forEach((probe, i) => {
    left!.fill(probe, i * gallery.length, (i + 1) * gallery.length);
    right!.set(gallery, i * gallery.length);
  });
  return { left: left!, right: right! };
}

function bestPerSubject(scores: Float32Array, subjectOf: Int32Array, subjects: number): Float32Array {
  const best = new Float32Array(subjects).fill(Number.NEGATIVE_INFINITY);
  for (let i = 0; i < scores.length; i++) best[subjectOf[i]!] = Math.max(best[subjectOf[i]!]!, scores[i]!);
  return best;
}

/** Ties count against the probe, so a rank never depends on the order of the gallery. */
function rankOf(best: Float32Array, subject: number | undefined): Found {
  const own = subject === undefined ? undefined : best[subject]!;
  let [rank, top] = [0, Number.NEGATIVE_INFINITY];
  for (let i = 0; i < best.length; i++) {
    if (own !== undefined && best[i]! >= own) rank++;
    top = Math.max(top, best[i]!);
  }
  return { rank: own === undefined ? undefined : rank, top };
}

/** One more than the templates of others that are as alike as the subject's best. */
function rankAmong(
  scores: Float32Array,
  subjectOf: Int32Array,
  best: Float32Array,
  subject: number | undefined,
): Found {
  const { top } = rankOf(best, subject);
  if (subject === undefined) return { rank: undefined, top };
  let rank = 1;
  for (let i = 0; i < scores.length; i++) if (subjectOf[i] !== subject && scores[i]! >= best[subject]!) rank++;
  return { rank, top };
}

interface Asked {
  readonly gallery: number;
  readonly ranks: readonly number[];
  readonly fpir: readonly number[];
}

function summarize(found: readonly Found[], { gallery, ranks, fpir }: Asked): Identification {
  const mated = found.filter(({ rank }) => rank !== undefined);
  const others = Float64Array.from(
    found.filter(({ rank }) => rank === undefined),
    ({ top }) => top,
  ).sort();
  if (mated.length === 0) {
    throw new MagfaceError('evaluation_impossible', {
      expected: 'probes whose subjects are in the gallery',
      received: 'none',
      remedy: 'use lists of the same protocol',
    });
  }
  const firsts = Float64Array.from(
    mated.filter(({ rank }) => rank === 1),
    ({ top }) => top,
  ).sort();
  const tpir = (rate: number): number | null => {
    if (!canMeasure(rate, others.length)) return null;
    const threshold = nextAbove(others[others.length - 1 - Math.floor(rate * others.length + 1e-9)]!);
    return (firsts.length - countBelow(firsts, threshold)) / mated.length;
  };
  return {
    gallery,
    matedProbes: mated.length,
    nonMatedProbes: others.length,
    cmc: Object.fromEntries(
      ranks.map((r) => [String(r), mated.filter(({ rank }) => rank! <= r).length / mated.length]),
    ),
    tpirAtFpir: Object.fromEntries(fpir.map((rate) => [String(rate), tpir(rate)])),
  };
}
