/**
 * InsightFace's training sets in RecordIO: record 0 (flag 2) holds the range of identity records, each of those the range
 * of its images, so that a person is a run of keys:
 *
 *     record 0        labels [first identity key, end]
 *     image records   1 … first identity key - 1: label is the class (or its copy in packed labels)
 *     identity records  labels [first image key, end]
 *
 * Plain im2rec files have images alone.
 */
import type { ImageRecord } from './image-record.ts';
import { createRecordWriter, type RecordFile } from './record-file.ts';

/** One image of a set. */
export interface FaceSample {
  readonly key: number;
  /** Class, from 0 without gaps. */
  readonly label: number;
}

export interface FaceRecords {
  readonly samples: readonly FaceSample[];
  /** K. */
  readonly classes: number;
}

/**
 * Finds the people and the keys of their images; reads no image.
 *
 * @throws {FormatError} when a record is damaged or a range is none
 */
export async function readFaceRecords(file: RecordFile): Promise<FaceRecords> {
  const header = file.keys.includes(0) ? await file.read(0) : undefined;
  const [begin, end, ...more] = header?.labels ?? [];
  const isHeader = header?.packed === true && more.length === 0 && header.image.length === 0;
  if (isHeader && begin !== undefined && end !== undefined) return fromRanges(file, [begin, end]);
  return fromLabels(file);
}

async function fromRanges(file: RecordFile, identities: readonly [number, number]): Promise<FaceRecords> {
  const samples: FaceSample[] = [];
  const present = new Set(file.keys);
  const range = (labels: readonly number[], key: number): readonly [number, number] => {
    const [begin = Number.NaN, end = Number.NaN] = labels;
    const possible = Number.isSafeInteger(begin) && end >= begin && end - begin <= present.size;
    if (possible && samples.length <= present.size) return [begin, end];
    throw file.error(`Expected a range of keys in record ${key} but found ${begin} to ${end}.`, key);
  };
  const [first, last] = range(identities, 0);
  for (let identity = first; identity < last; identity++) {
    const [begin, end] = range(await file.readLabels(identity), identity);
    for (let key = begin; key < end; key++) if (present.has(key)) samples.push({ key, label: identity - first });
  }
  return { samples, classes: last - first };
}

/** Plain im2rec: the labels of the images themselves, counted anew without gaps. */
async function fromLabels(file: RecordFile): Promise<FaceRecords> {
  const ids: number[] = [];
  for (const key of file.keys) {
    const [id = Number.NaN] = await file.readLabels(key);
    if (!Number.isFinite(id)) throw file.error(`Expected a label on record ${key} but found ${id}.`, key);
    ids.push(id);
  }
  const known = new Map([...new Set(ids)].sort((a, b) => a - b).map((id, label) => [id, label]));
  const samples = Array.from(file.keys, (key, i) => ({ key, label: known.get(ids[i]!)! }));
  return { samples, classes: known.size };
}

/** One person's images, for {@link writeFaceRecords}. */
export type FaceIdentity = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/**
 * Writes a set as InsightFace lays it out: images, then a record a person, and record 0 at the end of the file, when the
 * ranges are known; readers find it by the index.
 */
export async function writeFaceRecords(path: string, identities: Iterable<FaceIdentity>): Promise<FaceRecords> {
  const writer = await createRecordWriter(path);
  const samples: FaceSample[] = [];
  const ranges: [number, number][] = [];
  const about = (id: number, labels: readonly number[]): ImageRecord => ({
    labels,
    id,
    id2: 0,
    image: new Uint8Array(0),
    packed: true,
  });
  try {
    let key = 1;
    for (const images of identities) {
      const [label, first] = [ranges.length, key];
      for await (const image of images) {
        await writer.write(key, { labels: [label], id: key, id2: 0, image });
        samples.push({ key, label });
        key++;
      }
      ranges.push([first, key]);
    }
    const firstIdentity = key;
    for (const range of ranges) await writer.write(key, about(key++, range));
    await writer.write(0, about(0, [firstIdentity, key]));
  } catch (error) {
    await writer.discard();
    throw error;
  }
  await writer.close();
  return { samples, classes: ranges.length };
}
