/** Chooses the runtime, threads and batch size of the recogniser, and opens the models. */
import { ConfigError, MagfaceError } from '../../errors.ts';
import { readyToRun } from '../../graph/onnx/file.ts';
import { cores } from '../../machine/cores.ts';
import { cacheFolder } from '../../models/cache.ts';
import type { LoadedModel } from '../../models/load-model.ts';
import { type Aligner, createAligner } from '../aligner.ts';
import { createDetector, type Detector } from '../detector.ts';
import { Embedder } from '../embedder.ts';
import type { PipelineParts } from '../pipeline.ts';
import type { Session } from '../session.ts';
import type { Device } from './device-names.ts';
import { createSession } from './session.ts';
import { type Engine, type EngineName, readTuning } from './tuning.ts';

/** How to run the recogniser, and where tuning results are stored. */
export interface EngineOptions {
  /** `auto` uses the result of `magface doctor --tune` for this model on this machine, else `onnx`. @default 'auto' */
  readonly engine?: EngineName | 'auto' | undefined;
  /**
   * What all networks run on, by ONNX Runtime, in the caller's thread. Compared with the CPU when they are opened; never
   * replaced by it. @default 'cpu'
   */
  readonly device?: Device | undefined;
  /** Threads per run of a network. @default 1 in each worker; in the caller's thread, the tuning result or else all cores */
  readonly threads?: number | undefined;
  /** Maximum number of faces per run of the recogniser. @default the tuning result, else 8 */
  readonly batchSize?: number | undefined;
  /** @default MAGFACE_CACHE, else the user's cache folder */
  readonly cacheDir?: string | undefined;
}

/**
 * @returns the requested values; for the others, the tuning results or defaults
 * @throws {ConfigError} if torch is to run on a device
 */
export async function chooseEngine(
  { digest }: Pick<LoadedModel, 'digest'>,
  options: EngineOptions = {},
): Promise<Engine> {
  const { engine = 'auto', device = 'cpu', threads = cores(), batchSize = 8 } = options;
  if (device !== 'cpu') {
    if (engine !== 'torch') return { name: 'onnx', threads, batchSize, device };
    const remedy = 'leave one out';
    throw new ConfigError('device', { expected: 'the onnx engine with a device', received: 'torch', remedy });
  }
  const tuned = await readTuning(cacheFolder(options.cacheDir), digest);
  const found = tuned !== undefined && (engine === 'auto' || engine === tuned.name) ? tuned : undefined;
  return {
    name: engine === 'auto' ? (found?.name ?? 'onnx') : engine,
    threads: options.threads ?? found?.threads ?? cores(),
    batchSize: options.batchSize ?? found?.batchSize ?? 8,
  };
}

/** Models that were read and checked, and how to run them. */
export interface LoadedModels {
  readonly model: LoadedModel<'recogniser'>;
  /** Undefined if the inputs are aligned faces. */
  readonly detector: LoadedModel<'detector'> | undefined;
  /** Undefined if faces are aligned by their landmarks. */
  readonly aligner: LoadedModel<'aligner'> | undefined;
  readonly engine: Engine;
}

/**
 * Opens sessions in this thread.
 *
 * @throws {ModelError} if the runtime cannot open a model
 * @throws {MagfaceError} `libtorch_missing` if torch is requested and not installed
 */
export async function openParts({ model, detector, aligner, engine }: LoadedModels): Promise<PipelineParts> {
  const opened: AsyncDisposable[] = [];
  const keep = <Part extends AsyncDisposable>(part: Part): Part => {
    opened.push(part);
    return part;
  };
  try {
    return {
      embedder: keep(await createEmbedder(model, engine)),
      detector: detector && keep(await openDetector(detector, engine)),
      aligner: aligner && keep(await openAligner(aligner, engine)),
      calibration: model.contract.calibration,
    };
  } catch (error) {
    for (const part of opened) await part[Symbol.asyncDispose]();
    throw error;
  }
}

/** Frees the sessions that {@link openParts} opened. */
export async function closeParts({ embedder, detector, aligner }: PipelineParts): Promise<void> {
  for (const part of [embedder, detector, aligner]) await part?.[Symbol.asyncDispose]();
}

async function openAligner({ bytes, name, contract }: LoadedModel<'aligner'>, engine: Engine): Promise<Aligner> {
  const ready = readyToRun(bytes, name, { blocked: hasBlockedKernels && engine.device === undefined });
  return createAligner(await createSession(ready.bytes, { ...engine, name }), contract, { name });
}

async function openDetector({ bytes, name, contract }: LoadedModel<'detector'>, engine: Engine): Promise<Detector> {
  return createDetector(await createSession(bytes, { ...engine, name }), contract, { name });
}

/** ONNX Runtime has kernels for blocked channels only on x86. */
const hasBlockedKernels = process.arch === 'x64';

/**
 * Opens a recogniser. Many files fix the batch size at 1 although their operators do not need it; that is corrected in
 * memory.
 *
 * @throws {ModelError} if the engine cannot run the model
 * @throws {MagfaceError} `libtorch_missing` if torch is requested and not installed
 */
export async function createEmbedder(
  { name, contract, bytes: stored }: LoadedModel<'recogniser'>,
  engine: Engine,
): Promise<Embedder> {
  const blocked = engine.name === 'onnx' && hasBlockedKernels && engine.device === undefined;
  const { bytes, batchFree } = readyToRun(stored, name, { blocked });
  const session = await openSession(bytes, name, engine);
  return new Embedder(session, contract, { name, batchSize: batchFree ? engine.batchSize : 1 });
}

async function openSession(bytes: Uint8Array, name: string, engine: Engine): Promise<Session> {
  if (engine.name === 'onnx') return createSession(bytes, { ...engine, name });
  const { createTorchSession, torchVersions } = await torchEngine();
  if (torchVersions() === undefined) throw missing('its addon is not compiled', 'run `npx magface-torch`');
  return createTorchSession(bytes, { name, threads: engine.threads });
}

/** @throws {MagfaceError} `libtorch_missing` */
export async function torchEngine(): Promise<typeof import('../torch/torch-session.ts')> {
  try {
    return await import('../torch/torch-session.ts');
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause && cause.code === 'ERR_MODULE_NOT_FOUND')) throw cause;
    throw missing('@magface/torch is not installed', 'run npm install @magface/torch, then npx magface-torch', cause);
  }
}

const missing = (problem: string, remedy: string, cause?: unknown): MagfaceError =>
  new MagfaceError(
    'libtorch_missing',
    { expected: 'libtorch for the torch engine', problem, remedy: `${remedy}; or use the onnx engine` },
    { cause },
  );
