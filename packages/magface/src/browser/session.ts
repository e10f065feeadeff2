/** ONNX Runtime in the browser: WebGPU if available, else WebAssembly with SIMD and threads. */
import { ModelError } from '../errors.ts';
import { type Session, unloadable } from '../infer/session.ts';

/** The backend that runs networks. */
export type Device = 'webgpu' | 'wasm';

export interface RuntimeOptions {
  /** `auto` uses WebGPU if the browser has an adapter. */
  readonly device: Device | 'auto';
  /** WebAssembly threads. @default the number of cores, at most 8; 1 on a page that is not cross-origin isolated */
  readonly threads?: number | undefined;
}

/** A loaded runtime. */
export interface Runtime {
  readonly device: Device;
  readonly threads: number;
  /** @throws {ModelError} `model_not_onnx` if it cannot read the file */
  open(bytes: Uint8Array, name: string): Promise<Session>;
}

/** More threads do not speed up networks of this size. */
const mostThreads = 8;

/** @throws {ModelError} `model_run_failed` if WebGPU is requested explicitly and not available */
export async function loadRuntime(options: RuntimeOptions): Promise<Runtime> {
  const adapter = options.device === 'wasm' ? undefined : await findAdapter();
  if (options.device === 'webgpu' && adapter === undefined) {
    throw new ModelError('model_run_failed', 'webgpu', {
      expected: 'a browser with WebGPU',
      problem: 'it has no adapter',
      remedy: 'use device "auto" or "wasm"',
    });
  }
  const device = options.device === 'webgpu' || adapter === 'hardware' ? 'webgpu' : 'wasm';
  // Each runtime is a separate chunk with a separate binary, so that only the one in use is downloaded.
  const { env, InferenceSession } = await (device === 'webgpu'
    ? import('onnxruntime-web/webgpu')
    : import('onnxruntime-web/wasm'));
  const isolated = globalThis.crossOriginIsolated === true;
  const threads = isolated ? (options.threads ?? Math.min(mostThreads, navigator.hardwareConcurrency)) : 1;
  env.logLevel = 'error';
  env.wasm.numThreads = threads;

  const open = async (bytes: Uint8Array, name: string): Promise<Session> => {
    try {
      const session = await InferenceSession.create(bytes, { executionProviders: [device], logSeverityLevel: 3 });
      return patient(session);
    } catch (cause) {
      throw unloadable(name, cause);
    }
  };
  return { device, threads, open };
}

/** The part of WebGPU that we use; TypeScript's DOM types do not include it yet. */
interface NavigatorWithGpu {
  readonly gpu?: { requestAdapter(): Promise<GpuAdapter | null> };
}
interface GpuAdapter {
  readonly info?: { readonly isFallbackAdapter?: boolean };
}

/** @returns undefined if there is no adapter; `software` for an emulated one, which is slower than WebAssembly */
async function findAdapter(): Promise<'hardware' | 'software' | undefined> {
  const { gpu } = navigator as NavigatorWithGpu;
  const adapter = await gpu?.requestAdapter().catch(() => null);
  if (adapter == null) return undefined;
  return adapter.info?.isFallbackAdapter === true ? 'software' : 'hardware';
}

/** Handles pending messages before each run, so that an abort takes effect in the middle of a large photo. */
function patient(session: Session): Session {
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    run: async (feeds, fetches) => {
      await nextTask();
      return session.run(feeds, fetches);
    },
    release: () => session.release(),
  };
}

const channel = new MessageChannel();
const waiting: (() => void)[] = [];
channel.port1.onmessage = () => waiting.shift()?.();

/** A message is faster than a timer: nested timers wait at least 4 ms. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    channel.port2.postMessage(undefined);
  });
}
