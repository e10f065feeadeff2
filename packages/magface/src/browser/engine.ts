/** Detector and recogniser opened in this thread, which is a worker's: the same pipeline as Node's. */
import type { DetectedFace } from '../face.ts';
import { createDetector } from '../infer/detector.ts';
import { Embedder } from '../infer/embedder.ts';
import { analyzeMany, type PipelineParts } from '../infer/pipeline.ts';
import type { Analysis, Opened, OpenOptions, SentImage, SentOptions } from './messages.ts';
import { fetchModels, type LoadProgress, listFolder, pickModel } from './models.ts';
import { readImage } from './read-image.ts';
import { loadRuntime } from './session.ts';

/** One call's image, its name in errors, and options. */
export interface Job {
  readonly name: string;
  readonly image: SentImage;
  readonly options: SentOptions;
  readonly signal: AbortSignal;
}

export interface Engine {
  readonly opened: Opened;
  detect(job: Job): Promise<readonly DetectedFace[]>;
  analyze(job: Job): Promise<Analysis>;
}

/** @throws {ModelError} when a model cannot be found, fetched, trusted, read or run */
export async function openEngine(options: OpenOptions, onProgress: (progress: LoadProgress) => void): Promise<Engine> {
  const list = await listFolder(options.folder);
  const model = pickModel(list, 'recogniser', options.model);
  const detectorModel = pickModel(list, 'detector', options.detector);
  const [runtime, files] = await Promise.all([
    loadRuntime(options),
    fetchModels([detectorModel, model], options.folder, onProgress),
  ]);
  const [detectorSession, session] = [
    await runtime.open(files[0]!, detectorModel.id),
    await runtime.open(files[1]!, model.id),
  ];
  const detector = createDetector(detectorSession, detectorModel.contract, { name: detectorModel.id });
  const batchSize = model.freeBatch ? (options.batchSize ?? 8) : 1;
  const embedder = new Embedder(session, model.contract, { name: model.id, batchSize });
  const parts: PipelineParts = { embedder, detector, calibration: model.contract.calibration };
  const read = ({ image, name }: Job) => readImage(image, { name, pixels: options.pixels });

  return {
    opened: { model, detector: detectorModel, device: runtime.device, threads: runtime.threads },
    detect: async (job) => detector.detect(await read(job), { ...job.options, signal: job.signal }),
    analyze: async (job) => {
      for await (const result of analyzeMany([job], parts, { ...job.options, signal: job.signal, read })) {
        if (result.error !== undefined) throw result.error;
        return { image: result.image, faces: result.faces };
      }
      throw new Error('the pipeline gave no result'); // one input gives one result
    },
  };
}
