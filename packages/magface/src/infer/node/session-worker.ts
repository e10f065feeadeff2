/** The other side of worker-session.ts: one ONNX Runtime session in a thread of its own. */
import { parentPort, workerData } from 'node:worker_threads';
import { Tensor } from 'onnxruntime-common';
import { createSession } from './session.ts';
import type { RunReply, RunRequest, SessionSetup } from './worker-session.ts';

const port = parentPort!;
const setup = workerData as SessionSetup;

try {
  const session = await createSession(setup.bytes, setup);
  port.on('message', async ({ id, feeds, fetches }: RunRequest) => {
    try {
      const inputs = Object.fromEntries(feeds.map(({ name, data, dims }) => [name, new Tensor('float32', data, dims)]));
      const outputs = await session.run(inputs, fetches);
      const replies = Object.entries(outputs).map(([name, { data, dims }]) => ({ name, data: data as Float32Array, dims }));
      port.postMessage({ id, outputs: replies } satisfies RunReply);
    } catch (error) {
      port.postMessage({ id, failure: error instanceof Error ? error.message : String(error) } satisfies RunReply);
    }
  });
  port.postMessage({ ready: { inputNames: session.inputNames, outputNames: session.outputNames } });
} catch (error) {
  port.postMessage({ failed: error instanceof Error ? error.message : String(error) });
}
