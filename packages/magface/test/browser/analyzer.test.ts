/** Which sessions stay when WebGPU is given up, with runtimes that remember what they opened. */
import { Tensor } from 'onnxruntime-common';
import { afterEach, expect, test, vi } from 'vitest';
import { openAnalyzer } from '../../src/browser/analyzer.ts';
import type { OpenOptions } from '../../src/browser/messages.ts';
import type { Device, Runtime, RuntimeOptions } from '../../src/browser/session.ts';
import type { Session } from '../../src/infer/session.ts';
import { tinyRecord } from '../support/tiny-onnx.ts';

const model = (id: string, contract: unknown): unknown => ({ id, file: id, bytes: 1, sha256: '', contract });
vi.mock('../../src/browser/models.ts', async (original) => ({
  ...(await original<object>()),
  listFolder: async () => [
    model('finder', { kind: 'detector', decoder: 'blazeface', input: {} }),
    model('straightener', { kind: 'aligner', input: { width: 80, height: 80, mean: [0, 0, 0], scale: [1, 1, 1] } }),
    model('knower', tinyRecord()),
  ],
  fetchModels: async () => [new Uint8Array(1), new Uint8Array(1), new Uint8Array(1)],
}));
vi.mock('../../src/browser/session.ts', () => ({ loadRuntime: async (options: RuntimeOptions) => runtimeOf(options) }));

/** What WebGPU cannot do, and which sessions are open, as `device/model`. */
let cannot = '';
const open = new Set<string>();
afterEach(() => open.clear());

function runtimeOf(options: RuntimeOptions): Runtime {
  const device: Device = options.device === 'auto' ? 'webgpu' : options.device;
  const fails = (what: string): boolean => device === 'webgpu' && cannot.includes(what);
  const opened = async (_: Uint8Array, name: string): Promise<Session> => {
    if (fails(`open ${name}`)) throw new Error(`cannot open ${name}`);
    const session = `${device}/${name}`;
    open.add(session);
    return {
      inputNames: ['input'],
      outputNames: ['embedding'],
      run: async () => {
        if (fails('run')) throw new Error('device lost');
        return { embedding: new Tensor('float32', Float32Array.of(1, 2, 3), [1, 3]) };
      },
      release: async () => {
        open.delete(session);
        if (fails('release')) throw new Error('device lost');
      },
    };
  };
  return { device, threads: 1, open: opened };
}

const options: OpenOptions = { folder: 'http://x/', device: 'auto' };

test('keeps only the WebGPU sessions if WebGPU works', async () => {
  cannot = '';
  const { opened } = await openAnalyzer(options, () => undefined);
  expect([opened.device, [...open]]).toEqual(['webgpu', ['webgpu/finder', 'webgpu/straightener', 'webgpu/knower']]);
});

test.each(['open finder', 'open straightener', 'open knower', 'run', 'run and release'])(
  'leaves nothing behind if WebGPU cannot %s and WebAssembly replaces it',
  async (what) => {
    cannot = what;
    const { opened } = await openAnalyzer(options, () => undefined);
    expect([opened.device, [...open]]).toEqual(['wasm', ['wasm/finder', 'wasm/straightener', 'wasm/knower']]);
  },
);

test('leaves nothing behind if no replacement works', async () => {
  cannot = 'run';
  await expect(openAnalyzer({ ...options, device: 'webgpu' }, () => undefined)).rejects.toThrow('device lost');
  expect([...open]).toEqual([]);
});
