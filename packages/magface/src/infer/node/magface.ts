/** The class that people use: photos in, faces with embedding, magnitude and quality out. */
import { ConfigError, MagfaceError } from '../../errors.ts';
import type { AnalyzedFace, DetectedFace } from '../../face.ts';
import type { DownloadProgress } from '../../models/fetch.ts';
import { type LoadedModel, loadModel } from '../../models/load-model.ts';
import { createDetector, type Detector } from '../detector.ts';
import { expectDetectOptions } from '../expect-options.ts';
import { type AnalyzeOptions, analyzeMany, type PipelineParts, type StreamResult } from '../pipeline.ts';
import { chooseEngine, createEmbedder, type Engine, type EngineOptions } from './engine.ts';
import { type ImageInput, type ImageLimits, readAligned, readImage } from './read-image.ts';
import { createSession } from './session.ts';

/** Which models are loaded, from where, and how they are run. */
export interface LoadOptions extends EngineOptions {
  /** Recogniser: a path, an id of the registry, `https:` or `npm:NAME@VERSION/PATH`. @default 'magface-small', which is in the package */
  readonly model?: string | undefined;
  /** Detector, named likewise; false for inputs that are aligned faces already. @default 'yunet', which is in the package */
  readonly detector?: string | false | undefined;
  /** Where to compute; Node's ONNX Runtime package brings the processor only. @default 'cpu' */
  readonly device?: 'cpu' | undefined;
  /** Refuse the network. @default false */
  readonly offline?: boolean | undefined;
  /** What an image may cost before it is refused. */
  readonly limits?: ImageLimits | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called while a model is downloaded. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

/** What of an image is detected. */
export type DetectOptions = Pick<AnalyzeOptions, 'minScore' | 'minFace' | 'maxFaces' | 'signal'>;

/** Names of the models used when none is given: both are in the package. */
export const defaultModels = { recogniser: 'magface-small', detector: 'yunet' } as const;

/** Owns the sessions of a recogniser and a detector; free them by `await using` or `[Symbol.asyncDispose]`. */
export class MagFace {
  /** The recogniser, with what it promises about itself. */
  readonly model: LoadedModel<'recogniser'>;
  /** The detector likewise; undefined for inputs that are aligned faces already. */
  readonly detector: LoadedModel<'detector'> | undefined;
  /** What runs the recogniser, and how. */
  readonly engine: Engine;
  readonly #parts: PipelineParts;
  readonly #limits: ImageLimits | undefined;

  private constructor(
    models: Pick<MagFace, 'model' | 'detector' | 'engine'>,
    parts: PipelineParts,
    limits: ImageLimits | undefined,
  ) {
    this.model = models.model;
    this.detector = models.detector;
    this.engine = models.engine;
    this.#parts = parts;
    this.#limits = limits;
  }

  /**
   * Fetches what is not cached, checks it and makes it ready to run.
   *
   * @throws {ConfigError} when an option is none
   * @throws {ModelError} when a model cannot be found, fetched, trusted, read or run
   * @throws {MagfaceError} `libtorch_missing` when the engine torch is asked for and not installed
   */
  static async load(options: LoadOptions = {}): Promise<MagFace> {
    expectLoadOptions(options);
    options.signal?.throwIfAborted();
    const model = await loadModel(options.model ?? defaultModels.recogniser, { ...options, kind: 'recogniser' });
    const detectorName = options.detector ?? defaultModels.detector;
    const detector =
      detectorName === false ? undefined : await loadModel(detectorName, { ...options, kind: 'detector' });
    const engine = await chooseEngine(model, options);
    options.signal?.throwIfAborted();
    const embedder = await createEmbedder(model, engine);
    try {
      const parts = {
        embedder,
        detector: detector && (await openDetector(detector, options)),
        calibration: model.contract.calibration,
      };
      return new MagFace({ model, detector, engine }, parts, options.limits);
    } catch (error) {
      await embedder[Symbol.asyncDispose]();
      throw error;
    }
  }

  /**
   * @returns the faces of one image, largest first; none when there is none
   * @throws {ImageError} when the image cannot be used
   */
  async detect(input: ImageInput, options: DetectOptions = {}): Promise<DetectedFace[]> {
    const image = await readImage(input, { limits: this.#limits, signal: options.signal });
    return this.#requireDetector().detect(image, options);
  }

  /**
   * @returns the faces of one image aligned, embedded and scored, largest first; none when there is none
   * @throws {ImageError} when the image cannot be used
   */
  async analyze(input: ImageInput, options: AnalyzeOptions = {}): Promise<readonly AnalyzedFace[]> {
    for await (const { faces, error } of this.stream([input], options)) {
      if (error !== undefined) throw error;
      return faces;
    }
    return [];
  }

  /**
   * Like {@link analyze} over many images in little memory. An image that cannot be used is a result with `error`, so
   * that one broken file among thousands stops nothing.
   */
  stream<Input extends ImageInput>(
    inputs: Iterable<Input> | AsyncIterable<Input>,
    options: AnalyzeOptions = {},
  ): AsyncGenerator<StreamResult<Input>> {
    if (typeof inputs === 'string' || inputs instanceof Uint8Array) {
      throw new ConfigError(
        'inputs',
        'Expected a list of images but received one: analyze it, or put it into brackets.',
      );
    }
    expectDetectOptions(options);
    if (options.aligned !== true) this.#requireDetector();
    const reader = options.aligned === true ? readAligned : readImage;
    const read = (input: Input, { signal }: { signal: AbortSignal | undefined }) =>
      reader(input, { limits: this.#limits, signal });
    return analyzeMany(inputs, this.#parts, { ...options, read });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.embedder[Symbol.asyncDispose]();
    await this.#parts.detector?.[Symbol.asyncDispose]();
  }

  #requireDetector(): Detector {
    if (this.#parts.detector !== undefined) return this.#parts.detector;
    throw new MagfaceError(
      'no_detector',
      'Expected aligned faces, since no detector was loaded: pass `aligned: true`, or load a detector.',
    );
  }
}

/** @throws {ConfigError} naming the option that is none, for callers without types */
function expectLoadOptions({ engine = 'auto', device = 'cpu', threads, batchSize }: LoadOptions): void {
  const expect = (key: string, value: unknown, fits: boolean, what: string): void => {
    if (!fits) throw new ConfigError(key, `Expected ${what} as ${key} but received ${value}.`);
  };
  const isCount = (value: unknown): boolean => value === undefined || (Number.isInteger(value) && Number(value) > 0);
  expect('engine', engine, ['auto', 'onnx', 'torch'].includes(engine), 'auto, onnx or torch');
  expect('device', device, device === 'cpu', 'cpu, which is all that this runtime has,');
  expect('threads', threads, isCount(threads), 'a whole number above 0');
  expect('batchSize', batchSize, isCount(batchSize), 'a whole number above 0');
}

async function openDetector(model: LoadedModel<'detector'>, options: LoadOptions): Promise<Detector> {
  const session = await createSession(model.bytes, { name: model.name, threads: options.threads });
  return createDetector(session, model.contract, { name: model.name });
}
