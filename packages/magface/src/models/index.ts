/**
 * Lists, loads, describes, converts and quantizes models: `import { loadModel } from 'magface/models'`.
 *
 * A model is named by a path, an id from {@link listModels}, `https:` or `npm:NAME@VERSION/PATH`. Its contract describes
 * its input, its output, its quality scale and its measured thresholds.
 *
 * @example List models, and show the contract of one
 * ```ts
 * import { listModels, loadModel } from 'magface/models';
 *
 * for (const { id, kind, cached, licence } of await listModels()) console.log(id, kind, cached, licence);
 * const { digest, contract, assumed } = await loadModel('magface-small', { kind: 'recogniser' });
 * console.log(digest, contract.input, contract.calibration, contract.thresholds, assumed);
 * ```
 *
 * @example Quantize to int8, calibrated on aligned faces of 112x112
 * ```ts
 * import { writeFile } from 'node:fs/promises';
 * import { convertOnnx } from 'magface/models';
 *
 * const faces = ['aligned/0.png', 'aligned/1.png'];
 * const { bytes, batch, notes } = await convertOnnx('magface-small', { dtype: 'int8', faces });
 * await writeFile('small-int8.onnx', bytes);
 * console.log(bytes.length, batch, notes);
 * ```
 *
 * @example Write a contract into a model file
 * ```ts
 * import { writeFile } from 'node:fs/promises';
 * import { loadModel, withContract } from 'magface/models';
 *
 * const { bytes, contract, name } = await loadModel('magface-small', { kind: 'recogniser' });
 * const calibration = { centre: 23, width: 2.6, source: 'our own 500 passport photos' };
 * await writeFile('own.onnx', withContract(bytes, { ...contract, calibration }, name));
 * console.log((await loadModel('./own.onnx', { kind: 'recogniser' })).contract.calibration);
 * ```
 *
 * @module
 */

export { type AveragedModel, averageModels } from '../convert/average-models.ts';
export { type ConvertedOnnx, type ConvertOnnxOptions, convertOnnx, type WeightType } from '../convert/convert-onnx.ts';
export type {
  AlignerContract,
  ContractOf,
  DetectorContract,
  InputContract,
  LandmarkerContract,
  ModelContract,
  ModelKind,
  RecogniserContract,
  Threshold,
} from './contract.ts';
export type { DownloadProgress } from './fetch.ts';
export { type ListModelsOptions, listModels, type ModelRecord } from './list-models.ts';
export { type LoadedModel, type LoadModelOptions, loadModel } from './load-model.ts';
export { withContract } from './with-contract.ts';
