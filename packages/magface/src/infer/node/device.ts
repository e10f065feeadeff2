/** Devices of ONNX Runtime besides the CPU. A device is used only if it is there and gives the CPU's numbers. */

import { ConfigError, firstLine, ModelError } from '../../errors.ts';
import { compare } from '../../similarity.ts';
import type { Device } from './device-names.ts';
import { InferenceSession, Tensor } from './onnx-runtime.ts';

/** Names for ONNX Runtime, and what each device needs. */
const devices = {
  cuda: ['cuda', 'Linux with an NVIDIA GPU, CUDA 12 or 13, and the libraries of onnxruntime-node’s install script'],
  webgpu: ['webgpu', 'a GPU with a driver of Vulkan, Metal or Direct3D 12'],
  coreml: ['coreml', 'macOS'],
  directml: ['dml', 'Windows with a GPU of DirectX 12'],
} as const;

/** Least cosine of each output of a network on a device to that on the CPU. */
export const leastCosine = 0.9995;

type Options = Omit<InferenceSession.SessionOptions, 'executionProviders'>;

/**
 * Opens a network on a device, and on the CPU to compare them once. Operators that the device lacks run on the CPU, as ONNX
 * Runtime decides.
 *
 * @param name - the model's, for errors
 * @throws {ConfigError} if the device cannot be used here
 * @throws {ModelError} `engine_unfit` if its outputs differ
 */
export async function openOnDevice(
  bytes: Uint8Array,
  device: Exclude<Device, 'cpu'>,
  { name, ...options }: Options & { readonly name: string },
): Promise<InferenceSession> {
  const [provider, needs] = devices[device];
  const session = await InferenceSession.create(bytes, { ...options, executionProviders: [provider] }).catch(
    (cause: unknown) => {
      throw new ConfigError(
        'device',
        {
          expected: `the device ${device}, which needs ${needs},`,
          problem: `ONNX Runtime cannot use it (${firstLine(cause)})`,
          remedy: 'install what is missing, or leave the option out',
        },
        { cause },
      );
    },
  );
  const onCpu = await InferenceSession.create(bytes, options);
  try {
    await expectAgreement(onCpu, session, { name, device });
    return session;
  } catch (error) {
    await session.release();
    throw error;
  } finally {
    await onCpu.release();
  }
}

/** The part of a session that the comparison uses. */
export type ComparedSession = Pick<InferenceSession, 'inputNames' | 'outputNames' | 'inputMetadata'> & {
  run(feeds: Record<string, Tensor>): Promise<Readonly<Record<string, Pick<Tensor, 'data'>>>>;
};

/** @throws {ModelError} `engine_unfit` if an output differs */
export async function expectAgreement(
  cpu: ComparedSession,
  other: ComparedSession,
  { name, device }: { readonly name: string; readonly device: Device },
): Promise<void> {
  const feeds = () => Object.fromEntries(cpu.inputNames.map((input, at) => [input, trialInput(cpu, at)]));
  const [expected, received] = [await cpu.run(feeds()), await other.run(feeds())];
  for (const output of cpu.outputNames) {
    const [a, b] = [expected, received].map((outputs) => Float32Array.from(outputs[output]!.data as Float32Array));
    const cosine = b!.every(Number.isFinite) ? cosineOf(a!, b!) : Number.NaN;
    if (cosine >= leastCosine) continue;
    throw new ModelError('engine_unfit', name, {
      expected: `the outputs of ${name} on ${device} to be the CPU's (cosine of at least ${leastCosine})`,
      received: `a cosine of ${cosine.toFixed(5)} for ${output}`,
      remedy: 'update the driver, or leave the option out',
    });
  }
}

/** An output that is zero on both sides is equal. */
const cosineOf = (a: Float32Array, b: Float32Array): number =>
  a.every((value) => value === 0) || b.every((value) => value === 0)
    ? Number(a.every((value, i) => value === b[i]))
    : compare(a, b);

/** Side of a picture for networks of any size. */
const freeSide = 160;

/** Smooth waves of many lengths, between -1 and 1. */
function trialInput({ inputMetadata }: ComparedSession, at: number): Tensor {
  const metadata = inputMetadata[at]!;
  const shape = metadata.isTensor ? metadata.shape : [];
  const dims = shape.map((length, axis) =>
    typeof length === 'number' && length > 0 ? length : axis === 0 ? 1 : freeSide,
  );
  const size = dims.reduce((product, length) => product * length, 1);
  const values = Float32Array.from({ length: size }, (_, i) => Math.sin(i / 7) * Math.cos(i / 997));
  return new Tensor('float32', values, dims);
}
