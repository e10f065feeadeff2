/** The class that people use: photos in, faces with embedding, magnitude and quality out. */
import { type Comparison, type DecisionOptions, decide, thresholdAt } from '../../decision.ts';
import { ConfigError, MagfaceError } from '../../errors.ts';
import type { AnalyzedFace, DetectedFace } from '../../face.ts';
import type { Threshold } from '../../models/contract.ts';
import type { DownloadProgress } from '../../models/fetch.ts';
import { type LoadedModel, loadModel } from '../../models/load-model.ts';
import { compare } from '../../similarity.ts';
import { disposed } from '../closable-session.ts';
import { expectDetectOptions } from '../expect-options.ts';
import { type AnalyzeOptions, analyzeMany, type PipelineParts, type StreamResult } from '../pipeline.ts';
import { chooseEngine, closeParts, type EngineOptions, type LoadedModels, openParts } from './engine.ts';
import { type ImageInput, type ImageLimits, imageReader, readImage } from './read-image.ts';
import { analyzeByWorkers } from './stream-workers.ts';
import type { Engine } from './tuning.ts';
import { isFew, Workers, workerCount } from './workers.ts';

/** Which models are loaded, from where, and how they are run. */
export interface LoadOptions extends EngineOptions {
  /** Recogniser: a path, an id of the registry, `https:` or `npm:NAME@VERSION/PATH`. @default 'magface-small', which is in the package */
  readonly model?: string | undefined;
  /** Detector, named likewise; false for inputs that are aligned faces already. @default 'yunet', which is in the package */
  readonly detector?: string | false | undefined;
  /**
   * Most threads that `stream` spreads many images over. A number above 1 starts the first at once and opens no session in
   * the caller's own thread before `analyze` or `detect` asks for it. @default one for each core, as memory allows
   */
  readonly workers?: number | undefined;
  /** Aligner, named likewise; false aligns by the detector's landmarks alone. @default 'face-aligner', which is in the package */
  readonly aligner?: string | false | undefined;
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

/** Names of the models used when none is given; all are in the package. */
export const defaultModels = { recogniser: 'magface-small', detector: 'yunet', aligner: 'face-aligner' } as const;

/** Reads the models that the options name, and chooses how they run; no session is opened. */
export async function loadModels(options: LoadOptions): Promise<LoadedModels> {
  expectLoadOptions(options);
  options.signal?.throwIfAborted();
  const model = await loadModel(options.model ?? defaultModels.recogniser, { ...options, kind: 'recogniser' });
  const detectorName = options.detector ?? defaultModels.detector;
  const detector = detectorName === false ? undefined : await loadModel(detectorName, { ...options, kind: 'detector' });
  const alignerName = detector === undefined ? false : (options.aligner ?? defaultModels.aligner);
  const aligner = alignerName === false ? undefined : await loadModel(alignerName, { ...options, kind: 'aligner' });
  const engine = await chooseEngine(model, options);
  options.signal?.throwIfAborted();
  return { model, detector, aligner, engine };
}

/**
 * Owns the sessions of a recogniser and a detector, and worker threads that have their own; free them by `await using` or
 * `[Symbol.asyncDispose]`.
 */
export class MagFace {
  /** The recogniser, with what it promises about itself. */
  readonly model: LoadedModel<'recogniser'>;
  /** The detector likewise; undefined for inputs that are aligned faces already. */
  readonly detector: LoadedModel<'detector'> | undefined;
  /** The aligner likewise; undefined where faces are aligned by their landmarks. */
  readonly aligner: LoadedModel<'aligner'> | undefined;
  /** What runs the recogniser in this thread, and how. */
  readonly engine: Engine;
  /** Most worker threads that `stream` uses. */
  readonly workers: number;
  readonly #limits: ImageLimits | undefined;
  /** Threads of a network in a worker. */
  readonly #workerThreads: number;
  #parts: Promise<PipelineParts> | undefined;
  #workers: Workers | undefined;
  #isDisposed = false;

  private constructor(models: LoadedModels, options: LoadOptions) {
    this.model = models.model;
    this.detector = models.detector;
    this.aligner = models.aligner;
    this.engine = models.engine;
    this.workers = workerCount(models, options);
    this.#limits = options.limits;
    this.#workerThreads = options.threads ?? 1;
  }

  /**
   * Fetches what is not cached, checks it and makes it ready to run.
   *
   * @throws {ConfigError} when an option is none
   * @throws {ModelError} when a model cannot be found, fetched, trusted, read or run
   * @throws {MagfaceError} `libtorch_missing` when the engine torch is asked for and not installed
   */
  static async load(options: LoadOptions = {}): Promise<MagFace> {
    const magface = new MagFace(await loadModels(options), options);
    const { workers = 1 } = options;
    if (workers > 1 && magface.workers > 1) await magface.#startWorkers().start(1);
    else await magface.#open();
    return magface;
  }

  /**
   * @returns the faces of one image, largest first; none when there is none
   * @throws {ImageError} when the image cannot be used
   */
  async detect(input: ImageInput, options: DetectOptions = {}): Promise<DetectedFace[]> {
    const image = await readImage(input, { limits: this.#limits, signal: options.signal });
    this.#requireDetector();
    return (await this.#open()).detector!.detect(image, options);
  }

  /**
   * Computed in this thread, by all cores: the fastest way for one image.
   *
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
   * The least cosine of a match, as it was measured: at the false match rate asked for, else at the next stricter one, which
   * its `fmr` tells.
   *
   * @param fmr - the largest false match rate that is acceptable
   * @returns undefined where the model's record has no threshold
   * @throws {ConfigError} when the model was measured at no rate as strict as that
   */
  threshold(fmr = 0.001): Threshold | undefined {
    return thresholdAt(this.model.contract.thresholds, fmr);
  }

  /**
   * Whether two faces that this model embedded show one person. A threshold holds for one comparison: who looks among N
   * people has N chances of a false match.
   *
   * @throws {ConfigError} when the model was measured at no rate as strict as that
   * @throws {ShapeError} when an embedding is of another model, or points nowhere
   *
   * @example
   * ```ts
   * import { MagFace } from 'magface';
   *
   * await using magface = await MagFace.load();
   * const [ann] = await magface.analyze('ann.jpg');
   * const [bea] = await magface.analyze('bea.jpg');
   * if (ann === undefined || bea === undefined) throw new Error('Expected a face in each photo.');
   * const { same, similarity, threshold, fmr } = magface.samePerson(ann, bea, { fmr: 0.0001 });
   * console.log(`${same}: ${similarity} by the threshold ${threshold}, measured at a false match rate of ${fmr}`);
   * ```
   */
  samePerson(
    a: Pick<AnalyzedFace, 'embedding'>,
    b: Pick<AnalyzedFace, 'embedding'>,
    { fmr = 0.001 }: DecisionOptions = {},
  ): Comparison {
    const similarity = compare(a.embedding, b.embedding);
    return { similarity, ...decide(similarity, this.model.contract.thresholds, fmr) };
  }

  /**
   * Like {@link analyze} over many images in little memory, by worker threads that are started when there are many. An
   * image that cannot be used is a result with `error`, so that one broken file among thousands stops nothing.
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
    const isShort = Array.isArray(inputs) && isFew(inputs.length, options);
    if (this.workers === 1 || isShort) return this.#analyzeHere(inputs, options);
    return analyzeByWorkers(inputs, this.#startWorkers(), { ...options, batchSize: this.engine.batchSize });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    await this.#workers?.close();
    const parts = await this.#parts?.catch(() => undefined);
    if (parts !== undefined) await closeParts(parts);
  }

  async *#analyzeHere<Input extends ImageInput>(
    inputs: Iterable<Input> | AsyncIterable<Input>,
    options: AnalyzeOptions,
  ): AsyncGenerator<StreamResult<Input>> {
    yield* analyzeMany(inputs, await this.#open(), { ...options, read: imageReader(options, this.#limits) });
  }

  /** The sessions of this thread, opened when they are first needed. */
  #open(): Promise<PipelineParts> {
    if (this.#isDisposed) return Promise.reject(disposed());
    this.#parts ??= openParts(this);
    return this.#parts;
  }

  #startWorkers(): Workers {
    if (this.#isDisposed) throw disposed();
    const engine = { ...this.engine, threads: this.#workerThreads };
    const models = { model: this.model, detector: this.detector, aligner: this.aligner, engine };
    this.#workers ??= new Workers({ models, limits: this.#limits }, this.workers);
    return this.#workers;
  }

  #requireDetector(): void {
    if (this.detector !== undefined) return;
    throw new MagfaceError(
      'no_detector',
      'Expected aligned faces, since no detector was loaded: pass `aligned: true`, or load a detector.',
    );
  }
}

/** @throws {ConfigError} naming the option that is none, for callers without types */
function expectLoadOptions({ engine = 'auto', device = 'cpu', threads, batchSize, workers }: LoadOptions): void {
  const expect = (key: string, value: unknown, fits: boolean, what: string): void => {
    if (!fits) throw new ConfigError(key, `Expected ${what} as ${key} but received ${value}.`);
  };
  const isCount = (value: unknown): boolean => value === undefined || (Number.isInteger(value) && Number(value) > 0);
  expect('engine', engine, ['auto', 'onnx', 'torch'].includes(engine), 'auto, onnx or torch');
  expect('device', device, device === 'cpu', 'cpu, which is all that this runtime has,');
  expect('threads', threads, isCount(threads), 'a whole number above 0');
  expect('batchSize', batchSize, isCount(batchSize), 'a whole number above 0');
  expect('workers', workers, isCount(workers), 'a whole number above 0');
}
