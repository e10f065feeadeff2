/**
 * How well a clustering agrees with the true people. With n_ij faces of person j in cluster i, a_i = Σ_j n_ij, b_j = Σ_i n_ij:
 *
 *     pairwise  precision = Σ C(n_ij, 2) / Σ C(a_i, 2)      recall = Σ C(n_ij, 2) / Σ C(b_j, 2)
 *     B-cubed   precision = Σ n_ij² / a_i / N               recall = Σ n_ij² / b_j / N
 *     NMI       I(clusters; people) / ((H(clusters) + H(people)) / 2)
 *
 * Pairs count a person of 100 faces ten thousand times as much as one of a single face; B-cubed counts every face once.
 *
 * @see Amigó et al., "A comparison of extrinsic clustering evaluation metrics based on formal constraints", 2009; Yang et
 * al., "Learning to Cluster Faces on an Affinity Graph", CVPR 2019; scikit-learn's `normalized_mutual_info_score`
 */
import { ShapeError } from '../../errors.ts';

/** Precision, recall and their harmonic mean; null where there is no pair to divide by. */
export interface ClusterAgreement {
  readonly precision: number | null;
  readonly recall: number | null;
  readonly f: number | null;
}

/** Figures of one clustering. */
export interface ClusterMeasures {
  readonly faces: number;
  /** Number of true people. */
  readonly people: number;
  /** Number of clusters, those of a single face included. */
  readonly clusters: number;
  readonly pairwise: ClusterAgreement;
  readonly bcubed: ClusterAgreement;
  /** Normalized by the arithmetic mean of both entropies; 1 for equal partitions. */
  readonly nmi: number;
}

/**
 * Measures a clustering against the true people.
 *
 * @param clusters - (N) the cluster of each face, any numbers
 * @param people - (N) the person of each face, any numbers
 * @throws {ShapeError} if the two differ in length or are empty
 */
export function measureClusters(clusters: ArrayLike<number>, people: ArrayLike<number>): ClusterMeasures {
  const faces = clusters.length;
  if (faces === 0 || faces !== people.length)
    throw new ShapeError({
      expected: 'one person per face',
      received: `${people.length} for ${faces} faces`,
      remedy: 'pass clusters and people of the same faces',
    });
  const { cells, rows, columns } = countTogether(clusters, people);
  const together = sum(cells, ({ count }) => pairs(count));
  const [paired, samePerson] = [sum(rows, pairs), sum(columns, pairs)];
  return {
    faces,
    people: columns.length,
    clusters: rows.length,
    pairwise: agreement(ratio(together, paired), ratio(together, samePerson)),
    bcubed: agreement(
      sum(cells, ({ count, row }) => count ** 2 / rows[row]!) / faces,
      sum(cells, ({ count, column }) => count ** 2 / columns[column]!) / faces,
    ),
    nmi: mutualInformation({ cells, rows, columns }, faces),
  };
}

interface Cell {
  readonly row: number;
  readonly column: number;
  count: number;
}

/** The contingency table: cells above 0 and both margins. */
interface Table {
  readonly cells: readonly Cell[];
  readonly rows: readonly number[];
  readonly columns: readonly number[];
}

function countTogether(clusters: ArrayLike<number>, people: ArrayLike<number>): Table {
  const [rowOf, columnOf] = [new Map<number, number>(), new Map<number, number>()];
  const [rows, columns]: [number[], number[]] = [[], []];
  const cells = new Map<number, Cell>();
  for (let face = 0; face < clusters.length; face++) {
    const row = numbered(rowOf, clusters[face]!);
    const column = numbered(columnOf, people[face]!);
    rows[row] = (rows[row] ?? 0) + 1;
    columns[column] = (columns[column] ?? 0) + 1;
    const key = row * clusters.length + column;
    const cell = cells.get(key);
    if (cell === undefined) cells.set(key, { row, column, count: 1 });
    else cell.count++;
  }
  return { cells: [...cells.values()], rows, columns };
}

function numbered(known: Map<number, number>, key: number): number {
  const number = known.get(key) ?? known.size;
  known.set(key, number);
  return number;
}

/** Two partitions into one part each agree fully, although both entropies are 0, as in scikit-learn. */
function mutualInformation({ cells, rows, columns }: Table, faces: number): number {
  const entropy = (counts: readonly number[]): number =>
    -sum(counts, (count) => (count / faces) * Math.log(count / faces));
  const mean = (entropy(rows) + entropy(columns)) / 2;
  if (mean === 0) return 1;
  const information = sum(
    cells,
    ({ row, column, count }) => (count / faces) * Math.log((count * faces) / (rows[row]! * columns[column]!)),
  );
  return Math.min(1, Math.max(0, information / mean));
}

const pairs = (count: number): number => (count * (count - 1)) / 2;

const ratio = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

function agreement(precision: number | null, recall: number | null): ClusterAgreement {
  const known = precision !== null && recall !== null;
  const f = !known ? null : precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
  return { precision, recall, f };
}

function sum<T>(all: readonly T[], value: (one: T) => number): number {
  let total = 0;
  for (const one of all) total += value(one);
  return total;
}
