/**
 * Exhaustive search: compares a query with every template as bytes, which leaves a few candidates for the caller to
 * compare in full. ONNX Runtime multiplies: 100,000 templates of 512 bytes are 51 MB and take one core about 9 ms. Without
 * bytes it would take 17 ms and 205 MB, and the plainest loop in JavaScript 107 ms, during which its thread does nothing
 * else.
 */

import { byteProducts } from '../graph/onnx/products-file.ts';
import { type InferenceSession, Tensor } from '../infer/node/onnx-runtime.ts';
import { createSession } from '../infer/node/session.ts';
import { queryCodes, TemplateCodes } from './template-codes.ts';

/** Owns a session. Runs one operation at a time: rows must not move in a search. */
export class TemplateScan {
  readonly #session: InferenceSession;
  readonly #codes: TemplateCodes;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(session: InferenceSession, dimension: number) {
    this.#session = session;
    this.#codes = new TemplateCodes(dimension);
  }

  static async open(dimension: number): Promise<TemplateScan> {
    // One thread: other cores are for detecting faces.
    return new TemplateScan(await createSession(byteProducts(), { name: 'templates', threads: 1 }), dimension);
  }

  /** @param template - (D), of any length */
  set(person: string, template: Float32Array): Promise<void> {
    return this.#inTurn(() => this.#codes.set(person, template));
  }

  delete(person: string): Promise<void> {
    return this.#inTurn(() => this.#codes.delete(person));
  }

  /**
   * @param query - (D), of any length but 0
   * @returns people in any order, certain to include the `limit` most similar
   */
  candidates(query: Float32Array, limit: number): Promise<string[]> {
    return this.#inTurn(async () => {
      const { people, bytes } = this.#codes;
      if (people.length <= limit) return [...people];
      const codes = queryCodes(query);
      const { products } = await this.#session.run({
        left: new Tensor('uint8', bytes, [people.length, query.length]),
        right: new Tensor('int8', codes.bytes, [query.length, 2]),
      });
      return this.#codes.mayBeBest(products!.data as Int32Array, codes, limit);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#inTurn(() => this.#session.release());
  }

  #inTurn<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    const result = this.#turn.then(work);
    this.#turn = result.catch(() => undefined);
    return result;
  }
}
