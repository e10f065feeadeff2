/** Training sets between `.rec`, tar shards and folders of a folder a person. Images are copied byte for byte. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { ConfigError } from '../errors.ts';
import { readFaceRecords, writeFaceRecords } from './face-records.ts';
import { openRecords } from './record-file.ts';
import { createTarWriter } from './tar-shard.ts';

/** One image with its class. */
interface Face {
  readonly label: number;
  /** Without ending. */
  readonly name: string;
  readonly image: Uint8Array;
}

const imageName = /\.(jpe?g|png|webp|bmp)$/i;

/**
 * `train.rec` to a folder (`00000/1.jpg` … and `train.list` in the official form), or either to the other or to `.tar`.
 *
 * @returns how many images were written
 * @throws {ConfigError} when the ending is none of these or the folder holds no people
 */
export async function convertFaces(input: string, output: string): Promise<number> {
  const faces = extname(input) === '.rec' ? fromRecords(input) : fromFolder(input);
  const kind = extname(output);
  if (kind === '.tar') return toTar(output, faces);
  if (kind === '') return toFolder(output, faces);
  if (kind === '.rec' && extname(input) !== '.rec') return toRecords(input, output);
  throw new ConfigError('output', `Expected .rec, .tar or a folder to convert faces to but received ${output}.`);
}

async function* fromRecords(input: string): AsyncGenerator<Face> {
  const records = await openRecords(input);
  try {
    const { keys, labels } = readFaceRecords(records);
    for (const [i, key] of keys.entries()) {
      yield { label: labels[i]!, name: String(key), image: (await records.read(key)).image };
    }
  } finally {
    await records.close();
  }
}

async function people(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw new ConfigError('input', `Expected a folder with a folder for each person but ${folder} is none.`, { cause });
  });
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  if (names.length > 0) return names.sort();
  throw new ConfigError('input', `Expected a folder for each person in ${folder} but found none.`);
}

async function* facesOf(folder: string): AsyncGenerator<{ name: string; image: Uint8Array }> {
  for (const name of (await readdir(folder)).filter((one) => imageName.test(one)).sort()) {
    yield { name: name.replace(imageName, ''), image: await readFile(join(folder, name)) };
  }
}

async function* fromFolder(folder: string): AsyncGenerator<Face> {
  for (const [label, person] of (await people(folder)).entries()) {
    for await (const { name, image } of facesOf(join(folder, person)))
      yield { label, name: `${person}/${name}`, image };
  }
}

async function toRecords(folder: string, output: string): Promise<number> {
  async function* images(person: string): AsyncGenerator<Uint8Array> {
    for await (const { image } of facesOf(join(folder, person))) yield image;
  }
  return (await writeFaceRecords(output, (await people(folder)).map(images))).images;
}

async function toTar(output: string, faces: AsyncIterable<Face>): Promise<number> {
  const tar = await createTarWriter(output);
  let count = 0;
  try {
    for await (const { label, image } of faces) {
      const key = String(count++).padStart(9, '0');
      await tar.write(`${key}.${endingOf(image)}`, image);
      await tar.write(`${key}.cls`, Buffer.from(String(label)));
    }
  } catch (error) {
    await tar.discard();
    throw error;
  }
  await tar.close();
  return count;
}

async function toFolder(output: string, faces: AsyncIterable<Face>): Promise<number> {
  const lines: string[] = [];
  for await (const { label, name, image } of faces) {
    const person = String(label).padStart(5, '0');
    const path = `${person}/${name.replace(/.*\//, '')}.${endingOf(image)}`;
    await mkdir(join(output, person), { recursive: true });
    await writeFile(join(output, path), image);
    lines.push(`${path} 0 ${label} 0\n`);
  }
  await writeFile(join(output, 'train.list'), lines.join(''));
  return lines.length;
}

/** By the first byte: JPEG, PNG, or the rest. */
const endingOf = (image: Uint8Array): string => (image[0] === 0xff ? 'jpg' : image[0] === 0x89 ? 'png' : 'img');
