/** ONNX Runtime in a browser: WebGPU where there is one, else WebAssembly with SIMD and as many threads as it may have. */
import { ModelError } from '../errors.ts';
import type { Session } from '../infer/session.ts';

/** Where networks run. */
export type Device = 'webgpu' | 'wasm';

export interface RuntimeOptions {
  /** `auto` takes WebGPU where the browser has an adapter. */
  readonly device: Device | 'auto';
  /** Threads of WebAssembly. @default the cores, at most 8; 1 on a page that is not cross-origin isolated */
  readonly threads?: number | undefined;
}

/** A runtime that is loaded. */
export interface Runtime {
  readonly device: Device;
  readonly threads: number;
  /** @throws {ModelError} `model_not_onnx` when it cannot read the file */
  open(bytes: Uint8Array, name: string): Promise<Session>;
}

/** More threads than this wait for each other on networks of this size. */
const mostThreads = 8;

/** @throws {ModelError} `model_run_failed` when WebGPU is asked for by name and is not there */
export async function loadRuntime(options: RuntimeOptions): Promise<Runtime> {
  const adapter = options.device === 'wasm' ? undefined : await findAdapter();
  if (options.device === 'webgpu' && adapter === undefined) {
    const message = 'Expected a browser with WebGPU but it offers no adapter: use device "auto" or "wasm".';
    throw new ModelError('model_run_failed', 'webgpu', message);
  }
  const device = options.device === 'webgpu' || adapter === 'hardware' ? 'webgpu' : 'wasm';
  // Each is a chunk of its own, with a binary of its own: only the one that is used is fetched.
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
      const why = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
      const message = `Expected an ONNX model but ONNX Runtime cannot load ${name}: ${why}`;
      throw new ModelError('model_not_onnx', name, message, { cause });
    }
  };
  return { device, threads, open };
}

/** What we ask of WebGPU, whose types are no part of TypeScript's DOM yet. */
interface NavigatorWithGpu {
  readonly gpu?: { requestAdapter(): Promise<GpuAdapter | null> };
}
interface GpuAdapter {
  readonly info?: { readonly isFallbackAdapter?: boolean };
}

/** @returns undefined where there is none, `software` where a processor plays the part, slower than WebAssembly */
async function findAdapter(): Promise<'hardware' | 'software' | undefined> {
  const { gpu } = navigator as NavigatorWithGpu;
  const adapter = await gpu?.requestAdapter().catch(() => null);
  if (adapter == null) return undefined;
  return adapter.info?.isFallbackAdapter === true ? 'software' : 'hardware';
}

/** Lets messages in before each run, so that an abort is heard in the middle of a large photo. */
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

/** A timer would wait 4 ms once nested; a message does not. */
function nextTask(): Promise<void> {
  return new Promise((resolve) => {
    waiting.push(resolve);
    channel.port2.postMessage(undefined);
  });
}
