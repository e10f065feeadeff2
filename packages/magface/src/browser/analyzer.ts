/** The analyzer of the worker: opens the models and runs the same pipeline as Node. */
import { templateSize } from '../align.ts';
import type { DetectedFace } from '../face.ts';
import { createAligner } from '../infer/aligner.ts';
import { createDetector } from '../infer/detector.ts';
import { Embedder } from '../infer/embedder.ts';
import { analyzeMany, type PipelineParts } from '../infer/pipeline.ts';
import type { Session } from '../infer/session.ts';
import type { AlignerContract, DetectorContract, RecogniserContract } from '../models/contract.ts';
import type { FolderModel } from '../models/model-folder.ts';
import { blankPixels } from '../pixels.ts';
import type { Analysis, Opened, OpenOptions, SentImage, SentOptions } from './messages.ts';
import { fetchModels, type LoadProgress, listFolder, pickModel } from './models.ts';
import { readImage } from './read-image.ts';
import { loadRuntime, type Runtime } from './session.ts';

/** An image with its name for errors, and the options of the call. */
export interface Job {
  readonly name: string;
  readonly image: SentImage;
  readonly options: SentOptions;
  readonly signal: AbortSignal;
}

export interface Analyzer {
  readonly opened: Opened;
  detect(job: Job): Promise<readonly DetectedFace[]>;
  analyze(job: Job): Promise<Analysis>;
}

/**
 * Falls back to WebAssembly if the driver offers WebGPU but it does not work.
 *
 * @throws {ModelError} if a model cannot be found, downloaded, verified, read or run
 */
export async function openAnalyzer(
  options: OpenOptions,
  onProgress: (progress: LoadProgress) => void,
): Promise<Analyzer> {
  const list = await listFolder(options.folder);
  const model = pickModel(list, 'recogniser', options.model);
  const detector = pickModel(list, 'detector', options.detector);
  const aligner = pickModel(list, 'aligner', undefined);
  const [runtime, files] = await Promise.all([
    loadRuntime(options),
    fetchModels([detector, aligner, model], options.folder, onProgress),
  ]);
  const models = { model, detector, aligner, detectorFile: files[0]!, alignerFile: files[1]!, modelFile: files[2]! };
  try {
    return await analyzerOn(runtime, models, options);
  } catch (error) {
    if (options.device !== 'auto' || runtime.device === 'wasm') throw error;
    return analyzerOn(await loadRuntime({ ...options, device: 'wasm' }), models, options);
  }
}

interface FetchedModels {
  readonly model: FolderModel<RecogniserContract>;
  readonly detector: FolderModel<DetectorContract>;
  readonly aligner: FolderModel<AlignerContract>;
  readonly modelFile: Uint8Array;
  readonly alignerFile: Uint8Array;
  readonly detectorFile: Uint8Array;
}

/** Releases the open sessions if a later one fails, because the fallback may need the memory. */
async function analyzerOn(runtime: Runtime, models: FetchedModels, options: OpenOptions): Promise<Analyzer> {
  const sessions: Session[] = [];
  const open: Runtime['open'] = async (bytes, name) => {
    const session = await runtime.open(bytes, name);
    sessions.push(session);
    return session;
  };
  try {
    return await startAnalyzer({ ...runtime, open }, models, options);
  } catch (error) {
    // If the device is lost, this fails too. Report the first error.
    await Promise.allSettled(sessions.map((session) => session.release()));
    throw error;
  }
}

async function startAnalyzer(runtime: Runtime, models: FetchedModels, options: OpenOptions): Promise<Analyzer> {
  const { model, detector: found } = models;
  const detector = createDetector(await runtime.open(models.detectorFile, found.id), found.contract, {
    name: found.id,
  });
  const alignerSession = await runtime.open(models.alignerFile, models.aligner.id);
  const aligner = createAligner(alignerSession, models.aligner.contract, { name: models.aligner.id });
  const batchSize = model.freeBatch ? (options.batchSize ?? 8) : 1;
  const session = await runtime.open(models.modelFile, model.id);
  const embedder = new Embedder(session, model.contract, { name: model.id, batchSize });
  // WebGPU compiles its shaders in the first run, so that is where it fails.
  if (runtime.device === 'webgpu') await embedder.embed([blankPixels(templateSize, templateSize)]);
  const parts: PipelineParts = { embedder, detector, aligner, calibration: model.contract.calibration };
  const read = ({ image, name }: Job) => readImage(image, { name, pixels: options.pixels });

  return {
    opened: { model, detector: found, device: runtime.device, threads: runtime.threads },
    detect: async (job) => detector.detect(await read(job), { ...job.options, signal: job.signal }),
    analyze: async (job) => {
      for await (const result of analyzeMany([job], parts, { ...job.options, signal: job.signal, read })) {
        if (result.error !== undefined) throw result.error;
        return { image: result.image, faces: result.faces };
      }
      throw new Error('the pipeline returned no result'); // cannot happen: one input gives one result
    },
  };
}
