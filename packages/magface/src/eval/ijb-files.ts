/**
 * Reads the text files of the IJB-B and IJB-C protocols, where T is b or c:
 *
 *     ijbT_face_tid_mid.txt             `name template media`, one line per feature, in the features' order
 *     ijbT_template_pair_label.txt      `template template label`, IJB-C has 15,658,489 lines
 *     ijbT_1N_gallery_*.csv, ijbT_1N_probe_mixed.csv    a header, then `template,subject,...`
 */
import { createReadStream } from 'node:fs';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, FormatError } from '../errors.ts';
import { lineError, type TextLine, textLines } from '../format/text-lines.ts';

/** The template and the media of every feature. */
export interface FaceTemplates {
  /** (N) as the features should be named. */
  readonly names: readonly string[];
  readonly template: Int32Array;
  readonly media: Int32Array;
}

/** Pairs by template number. The columns are in shared memory, so threads need no copy. */
export interface TemplatePairs {
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** (P) 1 for one person, else 0. */
  readonly same: Uint8Array;
}

/** Templates and their subjects. */
export interface TemplateSubjects {
  readonly template: Int32Array;
  readonly subject: Int32Array;
}

/** Paths of a protocol's files in its `meta` folder. */
export interface IjbFiles {
  readonly faces: string;
  readonly pairs: string;
  readonly galleries: readonly string[];
  readonly probes: string | undefined;
}

/**
 * Finds the protocol's files in a folder.
 *
 * @throws {ConfigError} if the folder or one of the two verification files is missing
 */
export async function findIjbFiles(folder: string, type: 'b' | 'c'): Promise<IjbFiles> {
  const inFolder = await readdir(folder).catch((cause: unknown) => {
    throw new ConfigError(
      'meta',
      { expected: "the folder of IJB's meta files", problem: `${folder} cannot be read`, remedy: 'check the path' },
      { cause },
    );
  });
  if (inFolder.includes('meta')) return findIjbFiles(join(folder, 'meta'), type);
  const need = (name: string): string => {
    if (inFolder.includes(name)) return join(folder, name);
    throw new ConfigError('meta', {
      expected: `${name} in ${folder}`,
      problem: 'it is missing',
      remedy: `pass the folder with IJB-${type.toUpperCase()}'s meta files`,
    });
  };
  const probes = inFolder.find((name) => name === `ijb${type}_1N_probe_mixed.csv`);
  return {
    faces: need(`ijb${type}_face_tid_mid.txt`),
    pairs: need(`ijb${type}_template_pair_label.txt`),
    galleries: inFolder
      .filter((name) => name.startsWith(`ijb${type}_1N_gallery_`))
      .sort()
      .map((name) => join(folder, name)),
    probes: probes === undefined ? undefined : join(folder, probes),
  };
}

/** Reads `name template media` lines. */
export async function readFaceTemplates(file: string): Promise<FaceTemplates> {
  const lines = textLines(await readFile(file, 'utf8'));
  const [template, media] = [new Int32Array(lines.length), new Int32Array(lines.length)];
  const names = lines.map((line, i) => {
    const [name = '', tid, mid, ...rest] = line.text.split(/\s+/);
    template[i] = wholeNumber(tid, file, line);
    media[i] = wholeNumber(mid, file, line);
    if (rest.length > 0)
      throw lineError(
        file,
        {
          expected: '"name template media"',
          problem: `line ${line.number} has more columns`,
          remedy: "use the protocol's original file",
        },
        line,
      );
    return name;
  });
  return { names, template, media };
}

/** Reads the template and subject columns of a gallery or probe list; each template appears once. */
export async function readTemplateSubjects(file: string): Promise<TemplateSubjects> {
  const [header, ...lines] = textLines(await readFile(file, 'utf8'));
  const subjectOf = new Map<number, number>();
  for (const line of lines) {
    const [tid, sid] = line.text.split(',').map((cell) => cell.trim());
    const [template, subject] = [wholeNumber(tid, file, line), wholeNumber(sid, file, line)];
    if ((subjectOf.get(template) ?? subject) !== subject) {
      throw lineError(
        file,
        {
          expected: 'one subject per template',
          problem: `line ${line.number} gives template ${template} another`,
          remedy: "use the protocol's original file",
        },
        line,
      );
    }
    subjectOf.set(template, subject);
  }
  if (subjectOf.size === 0)
    throw lineError(
      file,
      {
        expected: 'a header and lines "template,subject,..."',
        problem: 'found none',
        remedy: "use the protocol's original file",
      },
      header,
    );
  return { template: Int32Array.from(subjectOf.keys()), subject: Int32Array.from(subjectOf.values()) };
}

function wholeNumber(text: string | undefined, file: string, line: TextLine): number {
  if (text !== undefined && /^\d{1,9}$/.test(text)) return Number(text);
  throw lineError(
    file,
    {
      expected: `a whole number below 1,000,000,000 on line ${line.number}`,
      received: `"${text ?? ''}"`,
      remedy: "use the protocol's original file",
    },
    line,
  );
}

/**
 * Streams `template template label` lines as bytes: IJB-C would need 15 million strings.
 *
 * @throws {FormatError} with the offset of an invalid line
 */
export async function readTemplatePairs(file: string): Promise<TemplatePairs> {
  const atMost = Math.ceil(((await stat(file)).size + 1) / 6); // "1 2 0\n" is the shortest line; unused pages cost nothing
  const columns = [sharedInts(atMost), sharedInts(atMost)] as const;
  const same = new Uint8Array(atMost);
  let [pairs, column, value, digits, offset] = [0, 0, 0, 0, 0];
  const endToken = (at: number): void => {
    if (digits === 0) return;
    if (digits > 9 || column > 2 || (column === 2 && value > 1)) throw wrongLine(file, pairs, at);
    if (column < 2) columns[column as 0 | 1][pairs] = value;
    else same[pairs] = value;
    column++;
    value = 0;
    digits = 0;
  };
  const endLine = (at: number): void => {
    endToken(at);
    if (column !== 0 && column !== 3) throw wrongLine(file, pairs, at);
    if (column === 3) pairs++;
    column = 0;
  };
  for await (const chunk of createReadStream(file, { highWaterMark: 1 << 22 }) as AsyncIterable<Buffer>) {
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i]!;
      if (byte >= 48 && byte <= 57) {
        value = value * 10 + byte - 48;
        digits++;
      } else if (byte === 10) endLine(offset + i);
      else if (byte === 32 || byte === 9 || byte === 13) endToken(offset + i);
      else throw wrongLine(file, pairs, offset + i);
    }
    offset += chunk.length;
  }
  endLine(offset);
  if (pairs === 0)
    throw lineError(file, {
      expected: 'lines "template template label"',
      problem: 'the file has none',
      remedy: "use the protocol's original file",
    });
  const [left, right] = columns;
  return { left: left.subarray(0, pairs), right: right.subarray(0, pairs), same: same.subarray(0, pairs) };
}

const sharedInts = (length: number): Int32Array => new Int32Array(new SharedArrayBuffer(length * 4));

const wrongLine = (file: string, pairs: number, offset: number): FormatError =>
  new FormatError(
    file,
    {
      expected: `"template template label" with a label 1 or 0 as pair ${pairs + 1}`,
      problem: 'found something else',
      remedy: "use the protocol's original file",
    },
    { offset },
  );
