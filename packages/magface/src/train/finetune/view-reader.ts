/** Training faces as the tensors that a model takes: decoded, shown in the view that is asked for, by the model's contract. */
import { fromArray, type Tensor } from '@magface/torch';
import { MagfaceError } from '../../errors.ts';
import type { InputContract } from '../../models/contract.ts';
import type { Pixels } from '../../pixels.ts';
import { faceBytes, faceSize, type ImageRequest, SampleDecoder } from '../data/decode-sample.ts';
import type { Dataset } from '../data/samples.ts';
import { showView, type View } from './views.ts';

/** A face of the dataset in a view. */
export interface ViewRequest {
  readonly sample: number;
  readonly view: View;
}

export class ViewReader {
  readonly #dataset: Dataset;
  readonly #decoder = new SampleDecoder();

  constructor(dataset: Dataset) {
    this.#dataset = dataset;
  }

  /**
   * @returns (N, 112, 112, 3) uint8 RGB
   * @throws {MagfaceError} `too_many_unreadable` naming a face that cannot be read: none can stand in for it here
   */
  async read(requests: readonly ViewRequest[]): Promise<Uint8Array> {
    const slot = new SharedArrayBuffer(requests.length * faceBytes);
    const images = requests.map(({ sample }, position): ImageRequest => {
      const { path, within } = this.#dataset.samples.at(sample)!;
      return { position, path, within, flipped: false };
    });
    const [bad] = (await this.#decoder.decode({ id: 0, slot, images })).failures;
    if (bad !== undefined) {
      const { path } = images[bad.position]!;
      const message = `Expected every face to be readable but ${path} is not (${bad.reason}): mend or remove it; --verify-data lists all.`;
      throw new MagfaceError('too_many_unreadable', message);
    }
    const faces = new Uint8Array(slot.byteLength);
    for (const [i, { view }] of requests.entries()) {
      const shown = showView(rgbOf(new Uint8Array(slot, i * faceBytes, faceBytes)), view);
      faces.set(shown.data, i * faceBytes);
    }
    return faces;
  }

  close(): void {
    this.#decoder.close();
  }
}

function rgbOf(bgr: Uint8Array): Pixels {
  const data = new Uint8Array(faceBytes);
  for (let at = 0; at < faceBytes; at += 3) {
    data[at] = bgr[at + 2]!;
    data[at + 1] = bgr[at + 1]!;
    data[at + 2] = bgr[at]!;
  }
  return { data, width: faceSize, height: faceSize };
}

/**
 * @param faces - (N, 112, 112, 3) uint8 RGB
 * @returns (N, 3, 112, 112) or (N, 112, 112, 3) float32, as the contract has it
 */
export function inputTensor(faces: Uint8Array, { layout, channelOrder, mean, scale }: InputContract): Tensor {
  const bytes = fromArray(faces, [faces.length / faceBytes, faceSize, faceSize, 3]);
  const ordered = channelOrder === 'RGB' ? bytes : bytes.flip([3]);
  const constant = (values: readonly number[]): Tensor => fromArray(Float32Array.from(values));
  const values = ordered.to({ dtype: 'float32' }).sub(constant(mean)).mul(constant(scale)); // (N, 112, 112, 3)
  return layout === 'NHWC' ? values : values.permute([0, 3, 1, 2]).contiguous();
}
