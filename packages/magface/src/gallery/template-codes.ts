/**
 * Directions of templates as bytes, with bounds on their similarity to a query.
 *
 * The distance r = ‖v - v̂‖ of a direction v from its bytes v̂ is known, as is that of the query, q and q̂; so
 *
 *     v·q = v̂·q̂ ± (r + ‖v̂‖ ‖q - q̂‖)
 */

/** A template's byte for zero; others differ by at most `templateLevels`. */
const zero = 128;
const templateLevels = 127;
/** Processors without VNNI add two products in 16 bits: 255 · 64 + 255 · 64 fits. */
const queryLevels = 64;
/** Tolerance for rounding errors, here and in a database. */
const rounding = 1e-5;

/** A query of length 1 as two bytes a value: q ≈ steps[0] · coarse + steps[1] · fine. */
export interface QueryCodes {
  /** (D, 2) */
  readonly bytes: Int8Array;
  readonly steps: readonly [coarse: number, fine: number];
  /** ‖q - q̂‖ */
  readonly residual: number;
}

/** @param query - (D), of any length but 0 */
export function queryCodes(query: Float32Array): QueryCodes {
  const { length, largest } = sizeOf(query);
  const coarseStep = largest / length / queryLevels;
  const fineStep = coarseStep / (2 * queryLevels);
  const bytes = new Int8Array(2 * query.length);
  let residual = 0;
  for (let d = 0; d < query.length; d++) {
    const value = query[d]! / length;
    const coarse = Math.round(value / coarseStep);
    const fine = Math.round((value - coarse * coarseStep) / fineStep);
    bytes[2 * d] = coarse;
    bytes[2 * d + 1] = fine;
    residual += (value - coarse * coarseStep - fine * fineStep) ** 2;
  }
  return { bytes, steps: [coarseStep, fineStep], residual: Math.sqrt(residual) };
}

/** Rows of bytes by person, which can be added and removed. */
export class TemplateCodes {
  readonly #dimension: number;
  readonly #rows = new Map<string, number>();
  readonly #people: string[] = [];
  /** (capacity, D); the first rows are used, one per person. */
  #bytes: Uint8Array;
  /** For each row: the value of a byte step, ‖v̂‖ and r. */
  readonly #steps: number[] = [];
  readonly #lengths: number[] = [];
  readonly #residuals: number[] = [];

  constructor(dimension: number) {
    this.#dimension = dimension;
    this.#bytes = new Uint8Array(64 * dimension);
  }

  /** In the order of the rows. */
  get people(): readonly string[] {
    return this.#people;
  }

  /** (N, D) */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#people.length * this.#dimension);
  }

  /** @param template - (D), of any length; one of length 0 has no direction, resembles nobody and is left out */
  set(person: string, template: Float32Array): void {
    const { length, largest } = sizeOf(template);
    if (!(length > 0)) {
      this.delete(person);
      return;
    }
    const row = this.#rows.get(person) ?? this.#append(person);
    const step = largest / length / templateLevels;
    let [squares, residual] = [0, 0];
    for (let d = 0; d < this.#dimension; d++) {
      const value = template[d]! / length;
      const code = Math.round(value / step);
      this.#bytes[row * this.#dimension + d] = code + zero;
      squares += (code * step) ** 2;
      residual += (value - code * step) ** 2;
    }
    this.#steps[row] = step;
    this.#lengths[row] = Math.sqrt(squares);
    this.#residuals[row] = Math.sqrt(residual);
  }

  /** Moves the last row there. */
  delete(person: string): void {
    const row = this.#rows.get(person);
    if (row === undefined) return;
    const last = this.#people.length - 1;
    this.#bytes.copyWithin(row * this.#dimension, last * this.#dimension, (last + 1) * this.#dimension);
    this.#rows.set(this.#people[last]!, row);
    this.#rows.delete(person);
    for (const column of [this.#people, this.#steps, this.#lengths, this.#residuals] as unknown[][]) {
      column[row] = column[last];
      column.pop();
    }
  }

  /**
   * @param products - (N, 2) int32: rows of bytes times the query's two columns
   * @returns people certain to include the `limit` most similar, in the order of the rows
   */
  mayBeBest(products: Int32Array, query: QueryCodes, limit: number): string[] {
    const { bytes, steps, residual } = query;
    const [coarseStep, fineStep] = steps;
    const offset = zero * (coarseStep * sumOf(bytes, 0) + fineStep * sumOf(bytes, 1));
    const most = new Float64Array(this.#people.length);
    const best = new Float64Array(limit).fill(-Infinity); // the best lower bounds, ascending
    for (let row = 0; row < most.length; row++) {
      const product = coarseStep * products[2 * row]! + fineStep * products[2 * row + 1]! - offset;
      const similarity = this.#steps[row]! * product;
      const error = this.#residuals[row]! + this.#lengths[row]! * residual + rounding;
      most[row] = similarity + error;
      if (similarity - error > best[0]!) raise(best, similarity - error);
    }
    return this.#people.filter((_, row) => most[row]! >= best[0]!);
  }

  #append(person: string): number {
    const row = this.#people.push(person) - 1;
    this.#rows.set(person, row);
    if (row * this.#dimension === this.#bytes.length) {
      const larger = new Uint8Array(2 * this.#bytes.length);
      larger.set(this.#bytes);
      this.#bytes = larger;
    }
    return row;
  }
}

function sizeOf(vector: Float32Array): { readonly length: number; readonly largest: number } {
  let [squares, largest] = [0, 0];
  for (const value of vector) {
    squares += value * value;
    largest = Math.max(largest, Math.abs(value));
  }
  return { length: Math.sqrt(squares), largest };
}

/** Sum of one column. */
function sumOf(bytes: Int8Array, column: 0 | 1): number {
  let sum = 0;
  for (let at = column; at < bytes.length; at += 2) sum += bytes[at]!;
  return sum;
}

/** Replaces the least value and keeps the order. */
function raise(ascending: Float64Array, value: number): void {
  let at = 0;
  for (; at + 1 < ascending.length && ascending[at + 1]! < value; at++) ascending[at] = ascending[at + 1]!;
  ascending[at] = value;
}
