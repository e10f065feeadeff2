/** A network as inference sees it, implemented by Node, its worker threads and the browser; and how its input is filled. */
import { firstLine, MagfaceError, ModelError, ShapeError } from '../errors.ts';
import type { InputContract } from '../models/contract.ts';
import type { Pixels } from '../pixels.ts';

/**
 * The part of a tensor that inference uses; ONNX Runtime's own fits. Its declarations name browser classes, which
 * Node programs lack: index.ts must not reach them.
 */
export interface SessionTensor {
  /** A Float32Array where `type` is float32. */
  readonly data: unknown;
  readonly type: string;
  readonly dims: readonly number[];
}

export type NamedTensors = Readonly<Record<string, SessionTensor>>;

/** A loaded network, such as onnxruntime's InferenceSession. */
export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** @param feeds - float32 tensors; their memory may be transferred: do not use it afterwards */
  run(feeds: NamedTensors, fetches: readonly string[]): Promise<NamedTensors>;
  release(): Promise<void>;
}

/** The error of a file that the runtime cannot load. */
export function unloadable(name: string, cause: unknown): ModelError {
  return new ModelError(
    'model_not_onnx',
    name,
    {
      expected: 'an ONNX model',
      problem: `ONNX Runtime cannot load ${name} (${firstLine(cause)})`,
      remedy: 'export it again, or use another model',
    },
    { cause },
  );
}

/** The error of calls after disposal. */
export const disposed = (): MagfaceError =>
  new MagfaceError('disposed', { expected: 'an open MagFace', problem: 'it was disposed', remedy: 'load it again' });

/**
 * A session that can be released during a run and repeatedly.
 *
 * @returns the session; release waits for the current run and refuses others
 * @throws {MagfaceError} `disposed` from `run`
 */
export function closable(session: Session): Session {
  let released: Promise<void> | undefined;
  const running = new Set<Promise<unknown>>();
  const release = async (): Promise<void> => {
    await Promise.allSettled(running);
    await session.release();
  };
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run: async (feeds, fetches) => {
      if (released !== undefined) throw disposed();
      const run = session.run(feeds, fetches);
      running.add(run);
      try {
        return await run;
      } finally {
        running.delete(run);
      }
    },
    release: () => {
      released ??= release();
      return released;
    },
  };
}

/** Writes one image into a batch: `(image, target, offset, mirrored)`. */
export type FillInput = (image: Pixels, target: Float32Array, offset: number, mirrored?: boolean) => void;

/**
 * Makes the writer for a contract: only here channel order, mean and scale are applied. An input value is (pixel − mean) · scale, from a 256-entry table per channel.
 *
 * @returns writes an image of the contract's size at `offset` of an (N, 3, H, W) or (N, H, W, 3) float32 batch, mirrored
 *   left to right if asked; throws ShapeError if the image has another size
 */
export function inputFiller(contract: InputContract & { readonly width: number; readonly height: number }): FillInput {
  const { width, height, layout, channelOrder } = contract;
  const plane = width * height;
  const [step, channelStep] = layout === 'NCHW' ? [1, plane] : [3, 1];
  const tables = [0, 1, 2].map((channel) => valueTable(contract.mean[channel]!, contract.scale[channel]!));
  const sourceOf = channelOrder === 'RGB' ? [0, 1, 2] : [2, 1, 0];

  return (image, target, offset, mirrored = false) => {
    if (image.width !== width || image.height !== height) {
      throw new ShapeError({
        expected: `a face of ${width}x${height} pixels`,
        received: `${image.width}x${image.height}`,
        remedy: 'align it first, or cut it out at this size',
      });
    }
    const { data } = image;
    for (let channel = 0; channel < 3; channel++) {
      const table = tables[channel]!;
      const base = offset + channel * channelStep;
      for (let y = 0; y < height; y++) {
        const row = y * width;
        let from = 3 * (mirrored ? row + width - 1 : row) + sourceOf[channel]!;
        const fromStep = mirrored ? -3 : 3;
        for (let to = base + row * step, end = base + (row + width) * step; to < end; to += step, from += fromStep) {
          target[to] = table[data[from]!]!;
        }
      }
    }
  };
}

function valueTable(mean: number, scale: number): Float32Array {
  return Float32Array.from({ length: 256 }, (_, pixel) => (pixel - mean) * scale);
}
