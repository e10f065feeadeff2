/**
 * InsightFace's verification sets (`lfw.bin`, `cfp_fp.bin`, …): a pickle of two lists, 2n encoded images and n booleans;
 * images 2k and 2k+1 are pair k. Images are read on demand.
 */
import { type ByteSource, openBytes } from './byte-source.ts';
import { FileWriter } from './file-writer.ts';
import { readPickle } from './pickle.ts';
import { Unpicklable } from './pickle-machine.ts';
import type { PickledBytes, PickleGlobal } from './pickle-values.ts';

/** An open verification set. Close it after use. */
export interface VerificationBin {
  /** n: whether both images of pair k show one person. */
  readonly same: readonly boolean[];
  /** @param index - of 2n; @returns the encoded image */
  readImage(index: number): Promise<Buffer>;
  close(): Promise<void>;
}

const isBytes = (value: unknown): value is PickledBytes | Buffer =>
  Buffer.isBuffer(value) || (typeof value === 'object' && value !== null && 'offset' in value && 'length' in value);

/** NumPy arrays of bytes and NumPy booleans occur where people wrote sets with OpenCV. */
interface NumpyArray {
  data?: unknown;
}

const numpy = (name: string, global: Omit<PickleGlobal, 'name'>): (readonly [string, PickleGlobal])[] =>
  ['numpy.core.multiarray', 'numpy._core.multiarray'].map(
    (module) => [`${module} ${name}`, { name: `${module}.${name}`, ...global }] as const,
  );

const globals: ReadonlyMap<string, PickleGlobal> = new Map<string, PickleGlobal>([
  ['_codecs encode', { name: '_codecs.encode', call: ([text]) => Buffer.from(String(text), 'latin1') }],
  ['numpy ndarray', { name: 'numpy.ndarray' }],
  ['numpy dtype', { name: 'numpy.dtype', call: ([code]) => String(code) }],
  ...numpy('_reconstruct', { call: (): NumpyArray => ({}), build: takeArray }),
  ...numpy('scalar', { call: ([, data]) => data ?? null }),
]);

/** `(version, shape, dtype, is_fortran, data)`. */
function takeArray(array: unknown, state: unknown): void {
  const [, shape, dtype, , data] = Array.isArray(state) ? (state as readonly unknown[]) : [];
  const size =
    Array.isArray(shape) && shape.every((one) => Number.isSafeInteger(one)) ? shape.reduce((a, b) => a * b, 1) : -1;
  if (!isBytes(data) || data.length !== size || !/^[ui]1$|^S/.test(String(dtype))) {
    throw new Unpicklable('an array of bytes');
  }
  (array as NumpyArray).data = data;
}

/**
 * Opens a `.bin` of InsightFace; images are read on demand.
 *
 * @throws {FormatError} if it is not such a pickle, or uses anything but bytes and booleans
 */
export async function openVerificationBin(file: string | ByteSource): Promise<VerificationBin> {
  const source = typeof file === 'string' ? await openBytes(file) : file;
  try {
    const { value } = readPickle(source, { globals, strings: 'bytes' });
    const [images, same] = expectLists(source, value);
    const flags = await Promise.all(same.map((flag) => truth(source, flag)));
    return {
      same: flags,
      async readImage(index) {
        const image = images[index];
        if (image === undefined)
          throw source.error({
            expected: `an image number below ${images.length}`,
            received: index,
            remedy: 'correct the number',
          });
        return Buffer.isBuffer(image) ? image : source.read(image.offset, image.length);
      },
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

function expectLists(source: ByteSource, value: unknown): [(PickledBytes | Buffer)[], unknown[]] {
  const [images, same] = Array.isArray(value) ? (value as readonly unknown[]) : [];
  if (!Array.isArray(images) || !Array.isArray(same) || images.length !== 2 * same.length || same.length === 0) {
    throw source.error(
      {
        expected: 'two lists with two images per label',
        problem: 'found something else',
        remedy: 'check that this is a verification set of InsightFace',
      },
      0,
    );
  }
  const bytes = images.map((image: unknown, i) => {
    const data = isBytes(image) ? image : (image as NumpyArray | null)?.data;
    if (isBytes(data)) return data;
    throw source.error(
      { expected: `image ${i} as bytes`, problem: 'found something else', remedy: 'write the set again' },
      0,
    );
  });
  return [bytes, same];
}

async function truth(source: ByteSource, flag: unknown): Promise<boolean> {
  if (typeof flag === 'boolean') return flag;
  if (flag === 0 || flag === 1) return flag === 1;
  if (isBytes(flag) && flag.length === 1) {
    return (Buffer.isBuffer(flag) ? flag : await source.read(flag.offset, 1))[0] === 1;
  }
  throw source.error(
    { expected: 'booleans in the second list', problem: 'found something else', remedy: 'write the set again' },
    0,
  );
}

/** One pair of a set, images encoded. */
export interface VerificationPair {
  readonly images: readonly [Uint8Array, Uint8Array];
  readonly same: boolean;
}

/** Writes a `.bin` for InsightFace's `verification.load_bin` (pickle protocol 3, so that bytes are bytes). */
export async function writeVerificationBin(
  path: string,
  pairs: Iterable<VerificationPair> | AsyncIterable<VerificationPair>,
): Promise<void> {
  const file = await FileWriter.create(path);
  const same: boolean[] = [];
  const op = (codes: string): Promise<void> => file.append(Buffer.from(codes, 'latin1'));
  try {
    await op('\x80\x03](');
    for await (const pair of pairs) {
      for (const image of pair.images) {
        const head = Buffer.from('B\0\0\0\0', 'latin1');
        head.writeUInt32LE(image.length, 1);
        await file.append(head);
        await file.append(image);
      }
      same.push(pair.same);
    }
    await op(`e](${same.map((flag) => (flag ? '\x88' : '\x89')).join('')}e\x86.`);
  } catch (error) {
    await file.discard();
    throw error;
  }
  await file.commit();
}
