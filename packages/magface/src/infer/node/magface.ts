/** The main class: takes photos and returns faces with embedding, magnitude and quality. */
import { type Comparison, type DecisionOptions, decide, thresholdAt } from '../../decision.ts';
import { ConfigError, MagfaceError } from '../../errors.ts';
import type { AnalyzedFace, DetectedFace } from '../../face.ts';
import { likelihoodRatio } from '../../likelihood-ratio.ts';
import type { Threshold } from '../../models/contract.ts';
import type { DownloadProgress } from '../../models/fetch.ts';
import { type LoadedModel, loadModel } from '../../models/load-model.ts';
import { magnitudeOf } from '../../quality.ts';
import { compare } from '../../similarity.ts';
import { type DetectOptions, expectDetectOptions } from '../detector.ts';
import { type AnalyzeOptions, analyzeMany, type PipelineParts, type StreamResult } from '../pipeline.ts';
import { disposed } from '../session.ts';
import { deviceNames } from './device-names.ts';
import { chooseEngine, closeParts, type EngineOptions, type LoadedModels, openParts } from './engine.ts';
import { type ImageInput, type ImageLimits, imageReader, readImage } from './read-image.ts';
import { analyzeByWorkers } from './stream-workers.ts';
import type { Engine } from './tuning.ts';
import { isFew, Workers, workerCount } from './workers.ts';

/** Which models to load, from where, and how to run them. */
export interface LoadOptions extends EngineOptions {
  /** Recogniser: a path, a registry id, `https:` or `npm:NAME@VERSION/PATH`. @default 'magface-small', included in the package */
  readonly model?: string | undefined;
  /** Detector, named likewise; false if the inputs are aligned faces. @default 'yunet', included in the package */
  readonly detector?: string | false | undefined;
  /**
   * Maximum number of worker threads for `stream`. With a number above 1, `load` starts the first worker immediately,
   * and the caller's thread opens its sessions only when `analyze` or `detect` needs them. @default one per core, as
   * memory allows
   */
  readonly workers?: number | undefined;
  /** Aligner, named likewise; false aligns by the detector's landmarks. @default 'face-aligner', included in the package */
  readonly aligner?: string | false | undefined;
  /** Never use the network. @default false */
  readonly offline?: boolean | undefined;
  /** Maximum size of an image. */
  readonly limits?: ImageLimits | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called during downloads. */
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
}

/** Names of the default models; all are included in the package. */
export const defaultModels = { recogniser: 'magface-small', detector: 'yunet', aligner: 'face-aligner' } as const;

/** Reads the models that the options name and chooses how to run them. Opens no sessions. */
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

/** A face to compare; without a magnitude, it is the length of the embedding (of one without `flip`). */
export type ComparedFace = Pick<AnalyzedFace, 'embedding'> & Partial<Pick<AnalyzedFace, 'magnitude'>>;

/**
 * Owns the sessions of the models, and worker threads with their own sessions. Free it with `await using` or
 * `[Symbol.asyncDispose]`.
 */
export class MagFace {
  /** The recogniser and its contract. */
  readonly model: LoadedModel<'recogniser'>;
  /** The detector and its contract; undefined if the inputs are aligned faces. */
  readonly detector: LoadedModel<'detector'> | undefined;
  /** The aligner and its contract; undefined if faces are aligned by their landmarks. */
  readonly aligner: LoadedModel<'aligner'> | undefined;
  /** How the recogniser runs in this thread. */
  readonly engine: Engine;
  /** Maximum number of worker threads for `stream`. */
  readonly workers: number;
  readonly #limits: ImageLimits | undefined;
  /** Threads per network in a worker. */
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
   * Downloads models that are not cached, verifies them and opens them.
   *
   * @throws {ConfigError} if an option is invalid, or the device cannot be used here
   * @throws {ModelError} if a model cannot be found, downloaded, verified, read or run
   * @throws {MagfaceError} `libtorch_missing` if the torch engine is requested and not installed
   */
  static async load(options: LoadOptions = {}): Promise<MagFace> {
    const magface = new MagFace(await loadModels(options), options);
    const { workers = 1 } = options;
    if (workers > 1 && magface.workers > 1) await magface.#startWorkers().start(1);
    else await magface.#open();
    return magface;
  }

  /**
   * @returns the faces of one image, largest first; empty if there are none
   * @throws {ImageError} if the image cannot be used
   */
  async detect(input: ImageInput, options: DetectOptions = {}): Promise<DetectedFace[]> {
    const image = await readImage(input, { limits: this.#limits, signal: options.signal });
    this.#requireDetector();
    return (await this.#open()).detector!.detect(image, options);
  }

  /**
   * Analyzes one image in this thread on all cores, the fastest way for a single image.
   *
   * @returns the faces, aligned, embedded and scored, largest first; empty if there are none
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
   * The minimum cosine of a match, as measured at the requested false match rate, else at the next stricter one; its `fmr`
   * says which.
   *
   * @param fmr - highest acceptable false match rate
   * @returns undefined if the model's record has no thresholds
   * @throws {ConfigError} if the model has no threshold that strict
   */
  threshold(fmr = 0.001): Threshold | undefined {
    return thresholdAt(this.model.contract.thresholds, fmr);
  }

  /**
   * Decides whether two faces, embedded by this model, show the same person. A threshold is measured for one comparison: a
   * search among N people has N chances of a false match.
   *
   * @throws {ConfigError} if the model has no threshold that strict
   * @throws {ShapeError} if the embeddings differ in length, or one is zero or not finite
   *
   * @example
   * ```ts
   * import { MagFace } from 'magface';
   *
   * await using magface = await MagFace.load();
   * const [ann] = await magface.analyze('ann.jpg');
   * const [bea] = await magface.analyze('bea.jpg');
   * if (ann === undefined || bea === undefined) throw new Error('Expected a face in each photo.');
   * const { same, similarity, threshold, fmr, likelihood } = magface.samePerson(ann, bea, { fmr: 0.0001 });
   * console.log(`${same}: ${similarity} by the threshold ${threshold}, measured at a false match rate of ${fmr}`);
   * console.log(`${likelihood?.ratio} times likelier the same person than two people`);
   * ```
   */
  samePerson(a: ComparedFace, b: ComparedFace, { fmr = 0.001 }: DecisionOptions = {}): Comparison {
    const similarity = compare(a.embedding, b.embedding);
    const { thresholds, likelihood } = this.model.contract;
    const magnitudes = [a, b].map(({ embedding, magnitude = magnitudeOf(embedding) }) => magnitude) as [number, number];
    return {
      similarity,
      ...decide(similarity, thresholds, fmr),
      likelihood: likelihood === undefined ? null : likelihoodRatio(similarity, magnitudes, likelihood),
    };
  }

  /**
   * Like {@link analyze}, for many images in little memory; it starts worker threads if there are enough images. An
   * image that cannot be used gives a result with `error`, so that one broken file does not stop the rest.
   */
  stream<Input extends ImageInput>(
    inputs: Iterable<Input> | AsyncIterable<Input>,
    options: AnalyzeOptions = {},
  ): AsyncGenerator<StreamResult<Input>> {
    if (typeof inputs === 'string' || inputs instanceof Uint8Array) {
      throw new ConfigError('inputs', {
        expected: 'a list of images',
        received: 'a single one',
        remedy: 'call analyze(), or pass an array',
      });
    }
    expectDetectOptions(options);
    if (options.aligned !== true) this.#requireDetector();
    if (this.workers === 1 || (Array.isArray(inputs) && isFew(inputs.length, options)))
      return this.#analyzeHere(inputs, options);
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

  /** This thread's sessions, opened on first use. */
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
    throw new MagfaceError('no_detector', {
      expected: 'aligned faces, because no detector is loaded',
      remedy: 'pass `aligned: true`, or load a detector',
    });
  }
}

/** Checks options of callers without types. @throws {ConfigError} naming the invalid option */
function expectLoadOptions({ engine = 'auto', device = 'cpu', threads, batchSize, workers }: LoadOptions): void {
  const expect = (key: string, value: unknown, fits: boolean, what: string): void => {
    if (!fits)
      throw new ConfigError(key, {
        expected: `${what} as ${key}`,
        received: String(value),
        remedy: 'correct the option',
      });
  };
  const isCount = (value: unknown): boolean => value === undefined || (Number.isInteger(value) && Number(value) > 0);
  expect('engine', engine, ['auto', 'onnx', 'torch'].includes(engine), 'auto, onnx or torch');
  expect('device', device, deviceNames.includes(device), deviceNames.join(', '));
  expect('threads', threads, isCount(threads), 'a whole number above 0');
  expect('batchSize', batchSize, isCount(batchSize), 'a whole number above 0');
  expect('workers', workers, isCount(workers), 'a whole number above 0');
}
