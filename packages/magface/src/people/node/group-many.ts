/** Groups many faces: ONNX Runtime multiplies all rows with each other, block by block. */

import { floatProducts } from '../../graph/onnx/products-file.ts';
import { Tensor } from '../../infer/node/onnx-runtime.ts';
import { createSession } from '../../infer/node/session.ts';
import {
  type GroupedPeople,
  groupingSteps,
  groupPeople,
  type LibraryFace,
  type PeopleOptions,
} from '../group-people.ts';
import type { PairScan } from '../merge-groups.ts';
import { errorOfProducts, subspaceOf } from './subspace.ts';

/** Rows per block: their products with each other are 4 MB. */
const block = 1024;

/** So few faces are grouped before a session has started. */
const fewRows = 500;

/** Options for grouping many faces. */
export interface ManyPeopleOptions extends PeopleOptions {
  /** @default all cores that this process may use */
  readonly threads?: number | undefined;
  /** Called with the shares of a scan that are done, 0 to 1. @default nobody */
  readonly onProgress?: ((done: number) => void) | undefined;
}

/**
 * The same as `groupPeople`, in Node and faster: all faces are multiplied in blocks, on other threads than this.
 *
 * @param options - `magface.model.contract` will do
 * @throws {ConfigError} if the model has no thresholds, or corrections contradict each other
 */
export async function groupManyPeople(
  faces: readonly LibraryFace[],
  options: ManyPeopleOptions,
): Promise<GroupedPeople> {
  if (faces.length <= fewRows) return groupPeople(faces, options);
  const steps = groupingSteps(faces, options);
  const { threads, onProgress } = options;
  await using scanner = await openScanner(threads);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
    await scanner.scan(value, onProgress);
  }
}

/** Multiplies all rows with each other; owns a session. */
export interface Scanner extends AsyncDisposable {
  scan(scan: PairScan, onProgress?: (done: number) => void): Promise<void>;
}

/** @param threads - all cores by default */
export async function openScanner(threads: number | undefined): Promise<Scanner> {
  const session = await createSession(floatProducts(), { name: 'products', ...(threads !== undefined && { threads }) });
  const products: Products = async (a, b) => {
    const { products: found } = await session.run({ left: a, right: b });
    return found!.data as Float32Array;
  };
  let directions: { readonly found: Float32Array | undefined } | undefined;
  return {
    scan: async (wanted, onProgress) => {
      // Later rows are sums of the first ones, so they lie in the same subspace.
      directions ??= { found: subspaceOf(wanted.rows, wanted.dimension) };
      const { rows, dimension, least } = await inSubspace(wanted, directions.found, products);
      const { visit } = wanted;
      const blocks = blocksOf(rows, dimension);
      const total = (blocks.length * (blocks.length + 1)) / 2;
      let done = 0;
      // While one block is multiplied, this thread reads the one before.
      let waiting: (() => Promise<void>) | undefined;
      for (const [top, a] of blocks.entries())
        for (const [beside, b] of blocks.slice(top).entries()) {
          const running = products(a, b);
          await waiting?.();
          const side = top + beside;
          waiting = async () => {
            visitBlock(await running, { top: top * block, side: side * block, width: b.dims[0]!, least, visit });
            onProgress?.(++done / total);
          };
        }
      await waiting?.();
    },
    [Symbol.asyncDispose]: () => session.release(),
  };
}

type Products = (a: Tensor, b: Tensor) => Promise<Float32Array>;

function blocksOf(rows: Float32Array, dimension: number): Tensor[] {
  const count = dimension === 0 ? 0 : rows.length / dimension;
  return Array.from({ length: Math.ceil(count / block) }, (_, k) => {
    const [from, to] = [k * block, Math.min(count, (k + 1) * block)];
    return new Tensor('float32', rows.subarray(from * dimension, to * dimension), [to - from, dimension]);
  });
}

/** Errors above this would let too many pairs pass. */
const mostError = 0.01;

/** @returns the same scan over the rows' coordinates, if they lie in a subspace */
async function inSubspace(
  scan: PairScan,
  directions: Float32Array | undefined,
  products: Products,
): Promise<Omit<PairScan, 'visit'>> {
  const { rows, dimension, least } = scan;
  if (directions === undefined || directions.length === 0) return scan;
  const width = directions.length / dimension;
  const basis = new Tensor('float32', directions, [width, dimension]);
  const coordinates = new Float32Array((rows.length / dimension) * width);
  let at = 0;
  for (const part of blocksOf(rows, dimension)) {
    const found = await products(part, basis);
    coordinates.set(found, at);
    at += found.length;
  }
  const error = errorOfProducts(rows, coordinates, dimension);
  return error > mostError ? scan : { rows: coordinates, dimension: width, least: least - error };
}

interface Block extends Pick<PairScan, 'least' | 'visit'> {
  /** First rows. */
  readonly top: number;
  readonly side: number;
  readonly width: number;
}

function visitBlock(products: Float32Array, { top, side, width, least, visit }: Block): void {
  for (let at = 0; at < products.length; at++) {
    if (products[at]! < least) continue;
    const [i, j] = [top + Math.floor(at / width), side + (at % width)];
    if (i < j) visit(i, j);
  }
}
