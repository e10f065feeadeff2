/**
 * The thread where images become faces. ONNX Runtime computes in the thread that calls it, so that a batch would otherwise
 * hold up every connection; here it holds up nothing but the next batch.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { MagfaceError } from '../errors.ts';
import { MagFace } from '../infer/node/magface.ts';
import type { StreamResult } from '../infer/pipeline.ts';
import type {
  BatchMessage,
  EngineMessage,
  EngineModels,
  EngineSetup,
  SentError,
  ServedOutcome,
} from './engine-messages.ts';

const say = (message: EngineMessage): void => parentPort?.postMessage(message);

try {
  const magface = await MagFace.load(workerData as EngineSetup);
  say({ type: 'ready', models: modelsOf(magface) });
  let last: Promise<void> = Promise.resolve();
  parentPort?.on('message', (batch: BatchMessage) => {
    last = last.then(() => run(magface, batch)).catch((error: unknown) => say({ type: 'failed', error: sent(error) }));
  });
} catch (error) {
  say({ type: 'failed', error: sent(error) });
  parentPort?.close();
}

/** Answers images as soon as they are known; those that come out of the network together are told together. */
async function run(magface: MagFace, { images, request }: BatchMessage): Promise<void> {
  const { aligned, minScore, maxFaces } = request;
  const options = { aligned, maxFaces, ...(minScore === undefined ? {} : { minScore }) };
  let known: ServedOutcome[] = [];
  const tell = (done: boolean): void => {
    if (done || known.length > 0) say({ type: 'images', images: known, done });
    known = [];
  };
  for await (const result of magface.stream(images, options)) {
    if (known.length === 0) setImmediate(tell, false);
    known.push({ index: result.index, outcome: outcomeOf(result) });
  }
  tell(true);
}

function outcomeOf(result: StreamResult<Uint8Array>): ServedOutcome['outcome'] {
  if (result.error !== undefined) return { error: sent(result.error) };
  return { image: result.image, faces: result.faces.map(({ crop: _, mouth: __, ...face }) => face) };
}

function modelsOf({ model, detector }: MagFace): EngineModels {
  const { bytes: _, ...recogniser } = model;
  if (detector === undefined) return { recogniser, detector };
  const { bytes: __, ...told } = detector;
  return { recogniser, detector: told };
}

function sent(error: unknown): SentError {
  if (error instanceof MagfaceError) return { name: error.name, code: error.code, message: error.message };
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { name: 'Error', code: 'unexpected', message, stack };
}
