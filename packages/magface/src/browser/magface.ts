/// <reference lib="dom" preserve="true" />
/** The main class for web pages: takes images and returns faces with embedding, magnitude and quality. */
import { ImageError } from '../errors.ts';
import type { AnalyzedFace, DetectedFace } from '../face.ts';
import type { DetectOptions } from '../infer/detector.ts';
import { idle, inTime } from '../infer/in-time.ts';
import type { AnalyzeOptions, StreamResult } from '../infer/pipeline.ts';
import { disposed } from '../infer/session.ts';
import type { DetectorContract, RecogniserContract } from '../models/contract.ts';
import type { FolderModel } from '../models/model-folder.ts';
import type { RawImage } from '../pixels.ts';
import type { Analysis, Opened, SentImage } from './messages.ts';
import type { LoadProgress } from './models.ts';
import type { Device } from './session.ts';
import { WorkerCalls } from './worker-calls.ts';

/** An image element, a file, a camera frame, or decoded pixels. */
export type ImageInput =
  | Blob
  | ImageBitmap
  | ImageData
  | VideoFrame
  | HTMLImageElement
  | HTMLCanvasElement
  | HTMLVideoElement
  | OffscreenCanvas
  | RawImage;

export interface LoadOptions {
  /** Model folder written by `magface page`. @default 'models/', relative to the page */
  readonly models?: string | URL | undefined;
  /** Id of a recogniser in the folder. @default the first */
  readonly model?: string | undefined;
  /** Id of a detector in the folder. @default the first */
  readonly detector?: string | undefined;
  /** @default 'auto': WebGPU if the browser has an adapter, else WebAssembly */
  readonly device?: Device | 'auto' | undefined;
  /** WebAssembly threads. More than 1 needs a cross-origin isolated page. @default the number of cores, at most 8 */
  readonly threads?: number | undefined;
  /** Maximum number of faces per run of the recogniser. @default 8 */
  readonly batchSize?: number | undefined;
  readonly limits?: {
    /** Maximum number of pixels per image. @default 100e6 */
    readonly pixels?: number | undefined;
  };
  readonly signal?: AbortSignal | undefined;
  /** Called during downloads. */
  readonly onProgress?: ((progress: LoadProgress) => void) | undefined;
}

/** Number of images that `stream` keeps in the worker: one in progress and one waiting. */
const inFlight = 2;

/** Owns a worker with the models' sessions. Free it with `await using` or `[Symbol.asyncDispose]`. */
export class MagFace {
  readonly model: FolderModel<RecogniserContract>;
  readonly detector: FolderModel<DetectorContract>;
  readonly device: Device;
  readonly threads: number;
  readonly #calls: WorkerCalls;

  private constructor(calls: WorkerCalls, opened: Opened) {
    this.#calls = calls;
    this.model = opened.model as FolderModel<RecogniserContract>;
    this.detector = opened.detector as FolderModel<DetectorContract>;
    this.device = opened.device;
    this.threads = opened.threads;
  }

  /**
   * Starts a worker, downloads models that are not cached, verifies them and opens them.
   *
   * @throws {ModelError} if a model cannot be found, downloaded, verified, read or run
   */
  static async load(options: LoadOptions = {}): Promise<MagFace> {
    const { models = 'models/', signal, onProgress, limits, device = 'auto', ...rest } = options;
    signal?.throwIfAborted();
    const folder = new URL(`${models}`.replace(/\/*$/, '/'), document.baseURI).href;
    const calls = new WorkerCalls(new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }));
    const stop = (): void => calls.end(signal!.reason);
    signal?.addEventListener('abort', stop);
    try {
      const { model, detector, threads, batchSize } = rest;
      const open = { folder, model, detector, threads, batchSize, device, pixels: limits?.pixels };
      const opened = await calls.call({ kind: 'open', options: open }, { onProgress });
      return new MagFace(calls, opened as Opened);
    } catch (error) {
      calls.end(error);
      throw error;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /**
   * @returns the faces of one image, largest first; empty if there are none
   * @throws {ImageError} if the image cannot be used
   */
  async detect(input: ImageInput, { signal, ...options }: DetectOptions = {}): Promise<readonly DetectedFace[]> {
    const { image, name, transfer } = await sendable(input);
    const request = { kind: 'detect', image, name, options } as const;
    return (await this.#calls.call(request, { signal, transfer })) as readonly DetectedFace[];
  }

  /**
   * @returns the faces of one image, aligned, embedded and scored, largest first; empty if there are none
   * @throws {ImageError} if the image cannot be used
   */
  async analyze(input: ImageInput, options: AnalyzeOptions = {}): Promise<readonly AnalyzedFace[]> {
    for await (const { faces, error } of this.stream([input], options)) {
      if (error !== undefined) throw error;
      return faces;
    }
    return [];
  }

  /**
   * Like {@link analyze}, for many images in little memory. An image that cannot be used gives a result with `error`,
   * so that one broken file does not stop the rest.
   */
  async *stream<Input extends ImageInput>(
    inputs: Iterable<Input> | AsyncIterable<Input>,
    options: AnalyzeOptions = {},
  ): AsyncGenerator<StreamResult<Input>> {
    const running: Promise<StreamResult<Input>>[] = [];
    let index = 0;
    for await (const input of inTime(inputs, options.signal)) {
      if (input !== idle) {
        const result = this.#result(input, index++, options);
        result.catch(() => undefined); // rethrown when its turn comes
        running.push(result);
      }
      while (running.length >= (input === idle ? 1 : inFlight)) yield await running.shift()!;
    }
    for (const result of running) yield await result;
  }

  async #result<Input extends ImageInput>(
    input: Input,
    index: number,
    { signal, ...options }: AnalyzeOptions,
  ): Promise<StreamResult<Input>> {
    try {
      const { image, name, transfer } = await sendable(input);
      const request = { kind: 'analyze', image, name, options } as const;
      const value = await this.#calls.call(request, { signal, transfer });
      return { input, index, ...(value as Analysis) };
    } catch (error) {
      if (error instanceof ImageError) return { input, index, error };
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#calls.end(disposed());
  }
}

interface Sendable {
  readonly image: SentImage;
  readonly name: string;
  readonly transfer: (ImageBitmap | VideoFrame)[];
}

/** Converts an image to a form that can be sent to the worker. Bitmaps and frames are copied, so the caller keeps its own. */
async function sendable(input: ImageInput): Promise<Sendable> {
  if (input instanceof Blob) {
    const name = input instanceof File ? input.name : `the image of ${input.size} bytes`;
    return { image: input, name, transfer: [] };
  }
  if ('data' in input) return { image: input, name: sizeName(input.width, input.height), transfer: [] };
  if ('displayWidth' in input) {
    const image = input.clone();
    return { image, name: sizeName(input.displayWidth, input.displayHeight), transfer: [image] };
  }
  try {
    const image = await createImageBitmap(input);
    return { image, name: sizeName(image.width, image.height), transfer: [image] };
  } catch (cause) {
    throw new ImageError(
      'image_unreadable',
      'the element',
      {
        expected: 'an element that shows an image',
        problem: 'this one has not loaded yet',
        remedy: 'wait until it has',
      },
      { cause },
    );
  }
}

const sizeName = (width: number, height: number): string => `the image of ${width}x${height} pixels`;
