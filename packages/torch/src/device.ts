/** Devices and threads of libtorch. */
import { guarded } from './dispatch.ts';
import { builtAddon, native } from './load.ts';

/** Whether the addon is compiled on this machine. Does not load it. */
export function isBuilt(): boolean {
  return builtAddon() !== undefined;
}

/** Version of libtorch in use, such as `1.13.0`. */
export function torchVersion(): string {
  return native().version;
}

/** Number of threads that one operator may use. @param count - sets the number if above 0 */
export function threads(count = 0): number {
  return guarded(() => native().threads(count));
}

/** Number of CUDA devices: `cuda:0` and so on. */
export function cudaDevices(): number {
  return guarded(() => native().cudaDevices());
}

/** Number of live tensors, for finding leaks. */
export function aliveTensors(): number {
  return native().alive();
}
