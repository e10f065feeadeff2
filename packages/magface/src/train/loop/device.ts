/** Selects the device and precision of a run. */
import { autocast, builtAddon, cudaDevices, type Device, type Tensor, torchVersion } from '@magface/torch';
import { ConfigError } from '../../errors.ts';

/**
 * @param device - `cpu`, `cuda` or `cuda:N`
 * @throws {ConfigError} if this machine's libtorch cannot use the device
 */
export function checkDevice(device: string): void {
  if (device === 'cpu') return;
  const count = cudaDevices();
  const index = Number(device.split(':')[1] ?? 0);
  if (index < count) return;
  const libtorch = `libtorch ${torchVersion()} (${builtAddon()?.from ?? 'unknown'})`;
  if (count > 0)
    throw new ConfigError('device', {
      expected: `one of the GPUs cuda:0 to cuda:${count - 1}`,
      received: device,
      remedy: 'change --device',
    });
  throw new ConfigError('device', {
    expected: `a libtorch with CUDA and a GPU for --device ${device}`,
    subject: libtorch,
    problem: 'sees none',
    remedy: 'set LIBTORCH to one built for CUDA and run `npx magface-torch`, or use --device cpu',
  });
}

/**
 * Gives each of several ranks its own GPU: `cuda` means the GPU numbered by the rank's number on its machine.
 *
 * @param environment - a launcher's variables: LOCAL_RANK
 * @param ranks - R; a single process uses the given device
 * @throws {ConfigError} for a GPU that all ranks would share
 */
export function deviceOfRank(device: string, environment: NodeJS.ProcessEnv, ranks: number): string {
  if (device === 'cpu' || ranks === 1) return device;
  if (device === 'cuda') return `cuda:${environment['LOCAL_RANK'] ?? 0}`;
  throw new ConfigError('device', {
    expected: '--device cuda (which gives each process its own GPU)',
    received: `${device} for several processes`,
    remedy: 'change --device',
  });
}

/** Precision of convolutions and products: float32, bfloat16 or float16. */
export type Precision = 'fp32' | 'bf16' | 'fp16';

const smallTypes = { fp32: null, bf16: 'bfloat16', fp16: 'float16' } as const;

/** Runs the body's convolutions and products in that precision; the result is float32. */
export function inPrecision(
  { precision = 'fp32', device }: { readonly precision?: Precision; readonly device?: Device },
  body: () => Tensor,
): Tensor {
  using _ = autocast(smallTypes[precision], device);
  return body().to({ dtype: 'float32' });
}
