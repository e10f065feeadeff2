/** Heavy modules for commands, imported on first use so that `--help` is instant. */
import type { FeatureWriter } from '../format/feature-writer.ts';
import type { LoadOptions, MagFace } from '../infer/node/magface.ts';
import type { ModelRecord } from '../models/list-models.ts';
import type { LoadedModel, LoadModelOptions } from '../models/load-model.ts';
import type { ReportData } from '../report/report-data.ts';

export type CacheOptions = Pick<LoadOptions, 'cacheDir'>;
export type LoadServiceOptions = Pick<LoadOptions, 'cacheDir' | 'offline' | 'signal' | 'onProgress'> &
  Pick<LoadModelOptions, 'kind' | 'refresh'>;

export interface Services {
  load(options: LoadOptions): Promise<Recogniser>;
  loadModel(name: string, options: LoadServiceOptions): Promise<LoadedModel>;
  listModels(options: CacheOptions): Promise<readonly ModelRecord[]>;
  createFeatureWriter(path: string, options: { readonly dimension?: number }): Promise<FeatureWriter>;
  /** @returns the page */
  qualityReport(data: ReportData): Promise<string>;
}

export const services: Services = {
  load: async (options) => (await import('../infer/node/magface.ts')).MagFace.load(options),
  loadModel: async (name, options) => (await import('../models/load-model.ts')).loadModel(name, options),
  listModels: async (options) => (await import('../models/list-models.ts')).listModels(options),
  createFeatureWriter: async (path, options) =>
    (await import('../format/feature-writer.ts')).createFeatureWriter(path, options),
  qualityReport: async (data) => (await import('../report/quality-report.ts')).qualityReport(data),
};

/** The part of `MagFace` that commands use. */
export type Recogniser = Pick<
  MagFace,
  'model' | 'detector' | 'engine' | 'detect' | 'stream' | typeof Symbol.asyncDispose
>;
