/** The other side of loader.ts: decodes images into the shared slot of their batch, in a thread of its own. */
import { parentPort } from 'node:worker_threads';
import { type DecodeRequest, decodeAll } from './decode-sample.ts';

parentPort?.on('message', async (request: DecodeRequest) => {
  parentPort?.postMessage(await decodeAll(request));
});
