/** What libtorch computes on. */
import { guarded } from './dispatch.ts';
import { builtAddon, native } from './load.ts';

/** Whether the addon is compiled on this machine; nothing is loaded to say so. */
export function isBuilt(): boolean {
  return builtAddon() !== undefined;
}

/** Version of the libtorch that is used, such as `1.13.0`. */
export function torchVersion(): string {
  return native().version;
}

/** Threads that one operator may use. @param count - sets it when given */
export function threads(count = 0): number {
  return guarded(() => native().threads(count));
}

/** How many CUDA devices there are: `cuda:0` and so on. */
export function cudaDevices(): number {
  return guarded(() => native().cudaDevices());
}

/** How many tensors are alive, to find what a loop forgets. */
export function aliveTensors(): number {
  return native().alive();
}
