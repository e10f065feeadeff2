/**
 * Models: found, read, described, converted and quantized: `import { loadModel } from 'magface/models'`.
 *
 * A model is named by a path, an id of {@link listModels}, `https:` or `npm:NAME@VERSION/PATH`. Its contract says how pixels
 * become its input, what its output means, and at which similarities it was measured.
 *
 * @example What is known here, and what a model promises
 * ```ts
 * import { listModels, loadModel } from 'magface/models';
 *
 * for (const { id, kind, cached, licence } of await listModels()) console.log(id, kind, cached, licence);
 * const { digest, contract, assumed } = await loadModel('magface-small', { kind: 'recogniser' });
 * console.log(digest, contract.input, contract.calibration, contract.thresholds, assumed);
 * ```
 *
 * @example In eight bits, calibrated on aligned faces of 112 x 112
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
 * @example A record of its own for a model that carries none
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

export { type ConvertedOnnx, type ConvertOnnxOptions, convertOnnx, type WeightType } from '../convert/convert-onnx.ts';
export type {
  AlignerContract,
  ContractOf,
  DetectorContract,
  InputContract,
  ModelContract,
  ModelKind,
  RecogniserContract,
  Threshold,
} from './contract.ts';
export type { DownloadProgress } from './fetch.ts';
export { type ListModelsOptions, listModels, type ModelRecord } from './list-models.ts';
export { type LoadedModel, type LoadModelOptions, loadModel } from './load-model.ts';
export { withContract } from './with-contract.ts';
