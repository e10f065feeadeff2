/** Reads training faces as model inputs: decodes them, renders the requested view and applies the model's contract. */
import { fromArray, type Tensor } from '@magface/torch';
import { MagfaceError } from '../../errors.ts';
import type { InputContract } from '../../models/contract.ts';
import type { Augmentation } from '../data/augment.ts';
import { DecodePool } from '../data/decode-pool.ts';
import { faceBytes, faceSize, type ImageRequest } from '../data/decode-sample.ts';
import type { Dataset } from '../data/samples.ts';

/** A face of the dataset and its changes. */
export interface AugmentedSample {
  readonly sample: number;
  readonly augmentation: Augmentation;
}

export class ViewReader {
  readonly #dataset: Dataset;
  readonly #pool: DecodePool;

  /** @param workers - threads that read; 0 reads in the calling thread */
  constructor(dataset: Dataset, workers: number) {
    this.#dataset = dataset;
    this.#pool = new DecodePool(workers);
  }

  /**
   * @returns (N, 112, 112, 3) uint8, BGR
   * @throws {MagfaceError} `too_many_unreadable` naming an unreadable face: no other face can replace it here
   */
  async read(requests: readonly AugmentedSample[]): Promise<Uint8Array> {
    const slot = new SharedArrayBuffer(requests.length * faceBytes);
    const images = requests.map(({ sample, augmentation }, position): ImageRequest => {
      const { path, within } = this.#dataset.samples.at(sample)!;
      return { position, path, within, ...augmentation };
    });
    const [bad] = await this.#pool.decode(slot, images);
    if (bad === undefined) return new Uint8Array(slot).slice();
    const { path } = images[bad.position]!;
    throw new MagfaceError('too_many_unreadable', {
      expected: 'every face to be readable',
      problem: `${path} is not (${bad.reason})`,
      remedy: 'repair or remove it; --verify-data lists all',
    });
  }

  close(): Promise<void> {
    return this.#pool.close();
  }
}

/**
 * @param faces - (N, 112, 112, 3) uint8, BGR
 * @returns (N, 3, 112, 112) or (N, 112, 112, 3) float32, according to the contract
 */
export function inputTensor(faces: Uint8Array, { layout, channelOrder, mean, scale }: InputContract): Tensor {
  const bytes = fromArray(faces, [faces.length / faceBytes, faceSize, faceSize, 3]);
  const ordered = channelOrder === 'BGR' ? bytes : bytes.flip([3]);
  const constant = (values: readonly number[]): Tensor => fromArray(Float32Array.from(values));
  const values = ordered.to({ dtype: 'float32' }).sub(constant(mean)).mul(constant(scale)); // (N, 112, 112, 3)
  return layout === 'NHWC' ? values : values.permute([0, 3, 1, 2]).contiguous();
}
