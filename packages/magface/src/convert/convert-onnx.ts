/** Converts a recogniser to a file with its contract, a free batch and the requested data type. */
import { ConfigError, FormatError } from '../errors.ts';
import { digestOfWeights, parseOnnx, setMetadata, writeOnnx } from '../graph/onnx/file.ts';
import { largestHalf } from '../graph/onnx/half.ts';
import type { ModelProto } from '../graph/onnx/onnx_pb.ts';
import { freeBatchOf, isBatchFree } from '../graph/passes/free-batch.ts';
import { simplify } from '../graph/passes/simplify.ts';
import { toHalf } from '../graph/passes/to-half.ts';
import { readAligned } from '../infer/node/read-image.ts';
import { inputFiller } from '../infer/session.ts';
import { contractMetadata, type ModelContract, type RecogniserContract } from '../models/contract.ts';
import { type LoadModelOptions, loadModel } from '../models/load-model.ts';
import { batchDifference } from './check-batch.ts';
import { observe } from './observe.ts';
import { calibrationRounds, quantizeModel } from './quantize-model.ts';

/** Data type of the weights. */
export type WeightType = 'fp32' | 'fp16' | 'int8';

/** Options for converting a model. */
export interface ConvertOnnxOptions
  extends Pick<LoadModelOptions, 'called' | 'describe' | 'cacheDir' | 'offline' | 'signal'> {
  /** @default 'fp32': weights stay as they are */
  readonly dtype?: WeightType | undefined;
  /** Paths of aligned faces; int8 needs them. @default none */
  readonly faces?: readonly string[] | undefined;
  /** Largest number of faces to calibrate on, spread evenly over those given. @default 100 */
  readonly samples?: number | undefined;
  /** Called after each run of the network on a face. */
  readonly onRun?: ((done: number, total: number) => void) | undefined;
}

/** A converted model. */
export interface ConvertedOnnx {
  /** The ONNX file, with the contract in its metadata. */
  readonly bytes: Uint8Array;
  readonly contract: ModelContract;
  /** Number of weight tensors in the file. */
  readonly tensors: number;
  /** Whether the batch was free already, is free now, or stays fixed because an operator may mix faces. */
  readonly batch: 'free' | 'freed' | 'fixed';
  /** Notes for the user, one sentence each. */
  readonly notes: readonly string[];
}

/**
 * Converts a recogniser: frees its batch dimension, writes its contract, and changes the data type of its weights. `int8`
 * quantizes weights and activations, calibrated on faces.
 *
 * @param source - a path, an id, `https:` or `npm:`
 * @throws {ConfigError} if int8 is requested without faces
 * @throws {FormatError} if the model cannot be converted as requested
 * @throws {ModelError} if the model cannot be loaded, or its record is wrong
 */
export async function convertOnnx(source: string, options: ConvertOnnxOptions = {}): Promise<ConvertedOnnx> {
  const { dtype = 'fp32', faces = [] } = options;
  if (dtype === 'int8' && faces.length === 0) {
    throw new ConfigError('faces', {
      expected: '--faces with aligned faces to calibrate int8 on',
      problem: 'there are none',
      remedy: 'pass some hundred faces of different people',
    });
  }
  const { bytes, contract, assumed, name } = await loadModel(source, options);
  const notes = [...assumed];
  if (contract.kind !== 'recogniser') {
    if (dtype === 'fp32') return finished(bytes, { contract, batch: 'fixed', notes, name });
    throw new FormatError(name, {
      expected: `a recogniser to write as ${dtype}`,
      problem: `this is a ${contract.kind}`,
      remedy: 'keep fp32',
    });
  }
  const mended = await mendBatch(bytes, { name, contract, notes });
  const inputs = await readFaces(contract, options);
  let written = mended.bytes;
  if (dtype === 'fp16') written = await halve(mended.bytes, { name, contract, inputs, options });
  if (dtype === 'int8') {
    let done = 0;
    const total = calibrationRounds * inputs.length;
    const run = { name, faces: inputs, dims: inputDims(contract), signal: options.signal };
    const onFace = (): void => options.onRun?.(++done, total);
    const { bytes: integers, floatActivations } = await quantizeModel(mended.bytes, { ...run, onFace });
    written = integers;
    if (floatActivations > 0) notes.push(slowPrelu(floatActivations));
  }
  if (dtype !== 'fp32' && (contract.calibration ?? contract.thresholds) !== undefined) {
    notes.push(
      `Its quality scale and thresholds were measured in the precision it had: \`magface calibrate\` refits them.`,
    );
  }
  return finished(written, { contract, batch: mended.batch, notes, name });
}

const slowPrelu = (count: number): string =>
  `int8 may be slower than fp32 here, though smaller: ${count} PRelu between integer layers stay float; compare both with your runtime.`;

/** Adds the contract to the file. */
function finished(
  bytes: Uint8Array,
  { contract, name, ...rest }: Omit<ConvertedOnnx, 'bytes' | 'tensors'> & { readonly name: string },
): ConvertedOnnx {
  const parsed = parseOnnx(bytes, name);
  const recorded =
    contract.kind === 'recogniser' ? { ...contract, weightsDigest: digestOfWeights(parsed, name) } : contract;
  setMetadata(parsed, contractMetadata(recorded));
  const tensors = parsed.graph!.initializer.length;
  return { ...rest, contract: recorded, tensors, bytes: writeOnnx(parsed, name) };
}

const inputDims = ({ input: { layout, width, height } }: RecogniserContract): number[] =>
  layout === 'NCHW' ? [1, 3, height, width] : [1, height, width, 3];

interface Mending {
  readonly name: string;
  readonly contract: RecogniserContract;
  readonly notes: string[];
}

/** Frees a batch fixed at one, and verifies that by running both files. */
async function mendBatch(
  bytes: Uint8Array,
  { name, contract, notes }: Mending,
): Promise<{ readonly bytes: Uint8Array; readonly batch: ConvertedOnnx['batch'] }> {
  const model = parseOnnx(bytes, name);
  if (isBatchFree(model, name)) return { bytes, batch: 'free' };
  const reason = freeBatchOf(model, name);
  if (reason !== undefined) {
    notes.push(`${name} stays fixed at one face a run: ${reason}.`);
    return { bytes, batch: 'fixed' };
  }
  const freed = writeOnnx(model, name);
  const difference = await batchDifference(bytes, freed, { name, dims: inputDims(contract).slice(1) });
  if (difference < 1e-4) return { bytes: freed, batch: 'freed' };
  notes.push(`${name} stays fixed at one face a run: three at once gave other embeddings (by ${difference}).`);
  return { bytes, batch: 'fixed' };
}

async function readFaces(
  contract: RecogniserContract,
  { faces = [], samples = 100, signal }: ConvertOnnxOptions,
): Promise<Float32Array[]> {
  const fill = inputFiller(contract.input);
  const count = Math.min(samples, faces.length);
  const inputs: Float32Array[] = [];
  for (let i = 0; i < count; i++) {
    const values = new Float32Array(3 * contract.input.width * contract.input.height);
    fill(await readAligned(faces[Math.floor((i * faces.length) / count)]!, { limits: undefined, signal }), values, 0);
    inputs.push(values);
  }
  return inputs;
}

interface Halving {
  readonly name: string;
  readonly contract: RecogniserContract;
  readonly inputs: readonly Float32Array[];
  readonly options: ConvertOnnxOptions;
}

/** @throws {FormatError} naming the inner value that half precision cannot represent */
async function halve(bytes: Uint8Array, { name, contract, inputs, options }: Halving): Promise<Uint8Array> {
  const model = parseOnnx(bytes, name);
  simplify(model, name);
  const faces = inputs.length > 0 ? inputs : [noise(contract)];
  await expectSmall(model, { name, faces, dims: inputDims(contract), signal: options.signal });
  toHalf(model, name);
  return writeOnnx(model, name);
}

/** Random pixels of the full range, scaled as the model's input. */
function noise(contract: RecogniserContract): Float32Array {
  const { width, height } = contract.input;
  const values = new Float32Array(3 * width * height);
  const data = Uint8Array.from(values, (_, i) => (i * 2654435761) >>> 24);
  inputFiller(contract.input)({ data, width, height }, values, 0);
  return values;
}

async function expectSmall(model: ModelProto, options: Parameters<typeof observe>[3]): Promise<void> {
  const values = model.graph!.node.filter(({ opType }) => isFloat(opType)).map(({ output }) => output[0]!);
  const look = (value: string, numbers: Float32Array): void => {
    const beyond = numbers instanceof Float32Array ? numbers.find((one) => !(Math.abs(one) <= largestHalf)) : undefined;
    if (beyond === undefined) return;
    throw new FormatError(options.name, {
      expected: `values within ±${largestHalf} (which half precision holds)`,
      problem: `"${value}" reaches ${beyond}`,
      remedy: 'keep fp32',
    });
  };
  await observe(model, values, [look], options);
}

const isFloat = (opType: string): boolean => !['Shape', 'Size', 'Constant'].includes(opType);
