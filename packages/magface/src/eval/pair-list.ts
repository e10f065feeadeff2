/**
 * Reads the common formats of pair lists. The content tells the four apart:
 *
 *     official    `... label` or `imageA imageB label`, one line per pair, the last token 1 or 0
 *     with header `left,right,same[,column...]`: CSV, TSV or spaces; further columns are groups
 *     LFW         first line `folds pairs`, then `name i j` (genuine) or `nameA i nameB j` (impostor)
 *     CPLFW       `image label`, two lines per pair; CALFW likewise, with the fold, 1 to 10, as label of genuine pairs
 */
import { readFile } from 'node:fs/promises';
import { lineError, type TextLine, textLines } from '../format/text-lines.ts';

/** P pairs by name. */
export interface PairList {
  /** (P) image names, empty if the list has none. */
  readonly left: readonly string[];
  readonly right: readonly string[];
  /** (P) 1 for two images of one person, else 0. */
  readonly same: Uint8Array;
  /** (P) each: further columns, by their header. */
  readonly columns: Readonly<Record<string, readonly string[]>>;
}

/**
 * Reads a list of pairs in any of the known formats.
 *
 * @throws {FormatError} naming the file and the invalid line
 */
export async function readPairList(file: string): Promise<PairList> {
  return parsePairList(await readFile(file, 'utf8'), file);
}

/**
 * Parses a list of pairs in any of the known formats.
 *
 * @param file - for messages
 */
export function parsePairList(text: string, file: string): PairList {
  const lines = textLines(text).map((line) => ({ ...line, tokens: tokensOf(line.text) }));
  const first = lines[0]?.tokens ?? [];
  const header = first.map((token) => token.toLowerCase());
  if (header.includes('same')) return fromTable(lines, header, file);
  if (first.length <= 2 && first.length > 0 && lines[1] !== undefined && lines[1].tokens.length > 2)
    return fromLfw(lines.slice(1), file);
  const body = header.includes('same_person') ? lines.slice(1) : lines;
  if (body.length > 0 && body.every(({ tokens }) => tokens.length === 2)) return fromHalves(body, file);
  return fromOfficial(body, file);
}

interface Line extends TextLine {
  readonly tokens: readonly string[];
}

const tokensOf = (line: string): string[] =>
  line.includes(',') ? line.split(',').map((cell) => cell.trim()) : line.split(/\s+/);

function labelOf(token: string | undefined, line: Line, file: string): number {
  if (token === '1' || token === '0') return Number(token);
  throw lineError(
    file,
    {
      expected: `a label 1 (same) or 0 on line ${line.number}`,
      received: `"${token ?? ''}"`,
      remedy: 'correct the line',
    },
    line,
  );
}

function expectSome(lines: readonly Line[], file: string): void {
  if (lines.length === 0)
    throw lineError(file, { expected: 'one line per pair', problem: 'the file has no pairs', remedy: 'add some' });
}

function fromOfficial(lines: readonly Line[], file: string): PairList {
  expectSome(lines, file);
  return {
    left: lines.map(({ tokens }) => (tokens.length > 2 ? tokens[0]! : '')),
    right: lines.map(({ tokens }) => (tokens.length > 2 ? tokens[1]! : '')),
    same: Uint8Array.from(lines, (line) => labelOf(line.tokens.at(-1), line, file)),
    columns: {},
  };
}

function fromTable(lines: readonly Line[], header: readonly string[], file: string): PairList {
  const rows = lines.slice(1);
  expectSome(rows, file);
  const uneven = rows.find(({ tokens }) => tokens.length !== header.length);
  if (uneven !== undefined) {
    throw lineError(
      file,
      {
        expected: `${header.length} columns (${header.join(', ')})`,
        problem: `line ${uneven.number} has ${uneven.tokens.length}`,
        remedy: 'correct the line',
      },
      uneven,
    );
  }
  const label = header.indexOf('same');
  const names = header.map((_, i) => i).filter((i) => i !== label);
  if (names.length < 2)
    throw lineError(file, {
      expected: 'columns left, right, same',
      problem: `the header has ${header.join(', ')}`,
      remedy: 'rename its columns',
    });
  const column = (i: number): string[] => rows.map(({ tokens }) => tokens[i]!);
  const [left = 0, right = 0, ...groups] = names;
  return {
    left: column(left),
    right: column(right),
    same: Uint8Array.from(rows, (line) => labelOf(line.tokens[label], line, file)),
    columns: Object.fromEntries(groups.map((i) => [header[i]!, column(i)])),
  };
}

/**
 * Reads lines `name i j` and `nameA i nameB j` without a first line, as RFW has them.
 *
 * @param imageOf - the path of a person's image by its number, which has four digits
 */
export function parseNumberedPairs(
  text: string,
  file: string,
  imageOf?: (name: string, number: string) => string,
): PairList {
  const lines = textLines(text).map((line) => ({ ...line, tokens: tokensOf(line.text) }));
  expectSome(lines, file);
  return fromLfw(lines, file, imageOf);
}

const lfwImage = (name: string, number: string): string => `${name}/${name}_${number}`;

function fromLfw(lines: readonly Line[], file: string, imageOf = lfwImage): PairList {
  const image = (name: string, number: string, line: Line): string => {
    if (!/^\d+$/.test(number)) {
      throw lineError(
        file,
        {
          expected: `an image number on line ${line.number}`,
          received: `"${number}"`,
          remedy: 'use LFW\'s form "name i j" or "name i name j"',
        },
        line,
      );
    }
    return imageOf(name, number.padStart(4, '0'));
  };
  const pairs = lines.map((line) => {
    const [a = '', b = '', c = '', d] = line.tokens;
    if (line.tokens.length === 3) return { left: image(a, b, line), right: image(a, c, line), same: 1 };
    if (d !== undefined && line.tokens.length === 4)
      return { left: image(a, b, line), right: image(c, d, line), same: 0 };
    throw lineError(
      file,
      {
        expected: `3 or 4 columns on line ${line.number}`,
        received: line.tokens.length,
        remedy: 'correct the line',
      },
      line,
    );
  });
  return {
    left: pairs.map(({ left }) => left),
    right: pairs.map(({ right }) => right),
    same: Uint8Array.from(pairs, ({ same }) => same),
    columns: {},
  };
}

function fromHalves(lines: readonly Line[], file: string): PairList {
  if (lines.length % 2 === 1) {
    throw lineError(file, {
      expected: 'two lines "image label" per pair',
      problem: `the file has ${lines.length} lines`,
      remedy: 'complete the last pair',
    });
  }
  const [even, odd] = [lines.filter((_, i) => i % 2 === 0), lines.filter((_, i) => i % 2 === 1)];
  const uneven = odd.find((line, k) => line.tokens[1] !== even[k]!.tokens[1]);
  if (uneven !== undefined) {
    throw lineError(
      file,
      {
        expected: 'the same label on both lines of a pair',
        problem: `line ${uneven.number} differs`,
        remedy: 'correct it',
      },
      uneven,
    );
  }
  return {
    left: even.map(({ tokens }) => tokens[0]!),
    right: odd.map(({ tokens }) => tokens[0]!),
    same: Uint8Array.from(even, (line) =>
      Number(/^([2-9]|10)$/.test(line.tokens[1]!) || labelOf(line.tokens[1], line, file)),
    ),
    columns: {},
  };
}
