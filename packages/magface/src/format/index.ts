/**
 * Readers and writers for the file formats of face recognition: `import { openTorch } from 'magface/formats'`.
 *
 * Files are read by range, so that they may be larger than memory, and no code in them runs. A damaged file ends in a
 * `FormatError` with file and byte offset. Close what you open. A writer renames the finished file into place; after an
 * error, `discard()` removes it.
 *
 * @example Features from one form to another, row by row
 * ```ts
 * import { createFeatureWriter, openFeatureFile } from 'magface/formats';
 *
 * const { dimension, blocks } = await openFeatureFile('features.list'); // or .npy, .safetensors, .jsonl
 * const writer = await createFeatureWriter('copy.safetensors', { dimension });
 * for await (const { values, names } of blocks)
 *   for (const [row, name] of (names ?? []).entries())
 *     await writer.write(name, values.subarray(row * dimension, (row + 1) * dimension));
 * await writer.close();
 * ```
 *
 * @example The weights of a torch file
 * ```ts
 * import { openTorch, toFloat32, writeSafetensors } from 'magface/formats';
 *
 * const file = await openTorch('weights.pth');
 * for (const [name, { dtype, shape }] of file.tensors) console.log(name, dtype, shape);
 * const [name = ''] = file.tensors.keys();
 * const tensor = await file.read(name);
 * console.log(toFloat32(tensor).length);
 * await writeSafetensors('one.safetensors', new Map([[name, tensor]]));
 * await file.close();
 * ```
 *
 * @example A training set of RecordIO, written and read
 * ```ts
 * import { readFile } from 'node:fs/promises';
 * import { openRecords, readFaceRecords, writeFaceRecords } from 'magface/formats';
 *
 * const photo = await readFile('ann.jpg');
 * await writeFaceRecords('train.rec', [[photo, photo], [await readFile('bea.jpg')]]);
 * const file = await openRecords('train.rec');
 * const { keys, labels, classes } = readFaceRecords(file);
 * const { image } = await file.read(keys[0]!);
 * console.log(classes, [...labels], image.length);
 * await file.close();
 * ```
 *
 * @module
 */

export { type ByteSource, bytesSource, openBytes } from './byte-source.ts';
export { convertFeatures } from './convert-features.ts';
export { type ConvertTensorsOptions, convertTensors } from './convert-tensors.ts';
export { type FaceIdentity, type FaceRecords, readFaceRecords, writeFaceRecords } from './face-records.ts';
export type { FeatureBlock } from './feature-block.ts';
export { type FeatureFile, openFeatureFile, readFeatureFile } from './feature-reader.ts';
export { createFeatureWriter, type FeatureWriter, type FeatureWriterOptions } from './feature-writer.ts';
export type { ImageRecord, RecordLabels } from './image-record.ts';
export { createRecordWriter, openRecords, type RecordFile, type RecordWriter } from './record-file.ts';
export { type LazyTensor, openSafetensors, type SafetensorsFile, writeSafetensors } from './safetensors.ts';
export {
  createTarWriter,
  openTarShard,
  type TarEntry,
  type TarSample,
  type TarShard,
  type TarWriter,
} from './tar-shard.ts';
export { type Dtype, float32Tensor, type Tensor, type TensorFile, type TensorInfo, toFloat32 } from './tensor.ts';
export { openTorch, type TorchFile } from './torch-file.ts';
export type { TorchStorage, TorchTensor } from './torch-tensor.ts';
export { type TorchValue, writeTorch } from './torch-writer.ts';
export {
  openVerificationBin,
  type VerificationBin,
  type VerificationPair,
  writeVerificationBin,
} from './verification-bin.ts';
