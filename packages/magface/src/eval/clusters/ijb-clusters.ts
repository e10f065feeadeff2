/**
 * Reads the clustering protocol of IJB-B ("test 7"): seven lists of faces of 32, 64, 128, 256, 512, 1,024 and 1,845 people,
 *
 *     clustering_protocols/test7_clustering/ijbb_clustering_32_hint_100.csv   a header, then `template,file,…`, one line a face
 *     …/ijbb_clustering_test7_ground_truth.csv                                `template,subject,…`, with or without a header
 *
 * The number behind `hint` is all that an algorithm may know about the number of people.
 *
 * @see Whitelam et al., "IARPA Janus Benchmark-B face dataset", CVPR Workshops 2017
 */
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ConfigError, FormatError } from '../../errors.ts';
import { lineError, textLines } from '../../format/text-lines.ts';

/** The faces of one list. */
export interface IjbClusterList {
  /** (N) subject of each face, in the order of the list. */
  readonly people: Uint32Array;
  /** From the file's name, for k-means: the people are not more than this. */
  readonly hint: number | undefined;
}

/** @returns whether a file is a list of this protocol, by its name */
export const isIjbClusterList = (file: string): boolean =>
  /^ijbb_clustering_\d+(_hint_\d+)?\.csv$/.test(basename(file));

/**
 * Reads one list, and the subjects from the ground truth beside it.
 *
 * @throws {ConfigError} without the ground truth
 * @throws {FormatError} if a template has no subject, or a line none of both
 */
export async function readIjbClusters(file: string): Promise<IjbClusterList> {
  const truth = join(dirname(file), 'ijbb_clustering_test7_ground_truth.csv');
  const text = await readFile(truth, 'utf8').catch((cause: unknown) => {
    throw new ConfigError(
      'people',
      { expected: `the ground truth beside ${file}`, problem: 'it is missing', remedy: `put ${basename(truth)} there` },
      { cause },
    );
  });
  const subjects = new Map(numberRows(text, 2, truth).map(([template, subject]) => [template!, subject!]));
  const faces = numberRows(await readFile(file, 'utf8'), 1, file);
  const hint = /_hint_(\d+)\.csv$/.exec(file)?.[1];
  const people = Uint32Array.from(faces, ([template]) => {
    const subject = subjects.get(template!);
    if (subject !== undefined) return subject;
    throw new FormatError(truth, {
      expected: `a subject for template ${template}`,
      problem: 'there is none',
      remedy: "use the protocol's original files",
    });
  });
  return { people, hint: hint === undefined ? undefined : Number(hint) };
}

/** The first columns of each line; a first line without numbers is a header. */
function numberRows(text: string, columns: number, file: string): number[][] {
  const rows = textLines(text).flatMap((line, i) => {
    const cells = line.text
      .split(',')
      .slice(0, columns)
      .map((cell) => cell.trim());
    if (cells.length === columns && cells.every((cell) => /^\d{1,9}$/.test(cell))) return [cells.map(Number)];
    if (i === 0) return [];
    throw lineError(
      file,
      {
        expected: `${columns === 1 ? 'a template' : 'template,subject'} on line ${line.number}`,
        problem: 'found something else',
        remedy: "use the protocol's original file",
      },
      line,
    );
  });
  if (rows.length > 0) return rows;
  throw new FormatError(file, {
    expected: 'a header and one line per face',
    problem: 'found none',
    remedy: "use the protocol's original file",
  });
}
