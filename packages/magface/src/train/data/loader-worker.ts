/** The other side of loader.ts: decodes images into the shared slot of their batch, in a thread of its own. */
import { parentPort } from 'node:worker_threads';
import { type DecodeRequest, SampleDecoder } from './decode-sample.ts';

const decoder = new SampleDecoder();

parentPort?.on('message', async (request: DecodeRequest) => {
  parentPort?.postMessage(await decoder.decode(request));
});
