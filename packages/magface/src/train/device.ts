/** Where a run computes. */
import { builtAddon, cudaDevices, torchVersion } from '@magface/torch';
import { ConfigError } from '../errors.ts';

/**
 * @param device - `cpu`, `cuda` or `cuda:N`
 * @throws {ConfigError} when this machine's libtorch cannot compute there
 */
export function checkDevice(device: string): void {
  if (device === 'cpu') return;
  const count = cudaDevices();
  const index = Number(device.split(':')[1] ?? 0);
  if (index < count) return;
  const libtorch = `libtorch ${torchVersion()} (${builtAddon()?.from ?? 'unknown'})`;
  throw new ConfigError(
    'device',
    count === 0
      ? `Expected a libtorch with CUDA and a GPU for --device ${device} but ${libtorch} sees none: set LIBTORCH to one built for CUDA and run \`npx magface-torch\`, or use --device cpu.`
      : `Expected one of the GPUs cuda:0 to cuda:${count - 1} but received ${device}.`,
  );
}
