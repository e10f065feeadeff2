/** Embeds aligned faces in batches. */
import { Tensor } from 'onnxruntime-common';
import { firstLine, MagfaceError, ModelError } from '../errors.ts';
import type { RecogniserContract } from '../models/contract.ts';
import type { Pixels } from '../pixels.ts';
import { magnitudeOf } from '../quality.ts';
import { closable, type FillInput, inputFiller, type Session } from './session.ts';

export interface EmbedderOptions {
  /** The model's name, for errors. */
  readonly name: string;
  /** Maximum faces per run. @default 8 */
  readonly batchSize?: number;
}

export interface EmbedOptions {
  /** Add the mirrored face's embedding to the face's own, as benchmarks do. @default false */
  readonly flip?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Embedding {
  /** (D) float32, not normalized. */
  readonly embedding: Float32Array;
  /** Norm of the face's own embedding, without its mirror image, so that `flip` does not change quality. */
  readonly magnitude: number;
}

/** Owns a recogniser's session. */
export class Embedder {
  readonly batchSize: number;
  readonly #session: Session;
  readonly #contract: RecogniserContract;
  readonly #name: string;
  readonly #fill: FillInput;

  /** @param session - with a free first dimension, unless `batchSize` is 1 */
  constructor(session: Session, contract: RecogniserContract, options: EmbedderOptions) {
    this.#session = closable(session);
    this.#contract = contract;
    this.#name = options.name;
    this.#fill = inputFiller(contract.input);
    this.batchSize = options.batchSize ?? 8;
  }

  /**
   * @param faces - RGB crops of the contract's size; any number; batched here
   * @returns embeddings of the faces, in order
   * @throws {ShapeError} if a crop has another size
   * @throws {ModelError} `model_run_failed`
   */
  async embed(faces: readonly Pixels[], { flip = false, signal }: EmbedOptions = {}): Promise<Embedding[]> {
    const results: Embedding[] = [];
    for (let start = 0; start < faces.length; start += this.batchSize) {
      signal?.throwIfAborted();
      const batch = faces.slice(start, start + this.batchSize);
      const own = await this.#run(batch, false);
      const mirrored = flip ? await this.#run(batch, true) : undefined;
      own.forEach((embedding, i) => {
        const magnitude = magnitudeOf(embedding);
        const twin = mirrored?.[i];
        results.push({ embedding: twin === undefined ? embedding : embedding.map((v, d) => v + twin[d]!), magnitude });
      });
    }
    return results;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release();
  }

  async #run(faces: readonly Pixels[], mirrored: boolean): Promise<Float32Array[]> {
    const { width, height, layout } = this.#contract.input;
    const values = 3 * width * height;
    const data = new Float32Array(faces.length * values);
    for (const [i, face] of faces.entries()) this.#fill(face, data, i * values, mirrored);
    const dims = layout === 'NCHW' ? [faces.length, 3, height, width] : [faces.length, height, width, 3];
    const output = await this.#output(new Tensor('float32', data, dims));
    const length = output.length / faces.length;
    if (length !== this.#contract.embeddingLength) {
      const expected = `${faces.length} embeddings of ${this.#contract.embeddingLength} values`;
      throw new ModelError('model_wrong_contract', this.#name, {
        expected: `${expected} from ${this.#name}`,
        received: `${output.length} values`,
        remedy: 'correct the embeddingLength in its record',
      });
    }
    return faces.map((_, i) => output.slice(i * length, (i + 1) * length));
  }

  async #output(input: Tensor): Promise<Float32Array> {
    const session = this.#session;
    const name = session.outputNames.includes('embedding') ? 'embedding' : session.outputNames[0]!;
    try {
      const outputs = await session.run({ [session.inputNames[0]!]: input }, [name]);
      return outputs[name]!.data as Float32Array;
    } catch (cause) {
      if (cause instanceof MagfaceError) throw cause;
      throw new ModelError(
        'model_run_failed',
        this.#name,
        {
          expected: `${this.#name} to embed faces`,
          problem: `it failed (${firstLine(cause)})`,
          remedy: 'check the model file, or use another',
        },
        { cause },
      );
    }
  }
}
