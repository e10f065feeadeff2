/**
 * The thread where images become faces. ONNX Runtime computes in the thread that calls it, so that a batch would otherwise
 * hold up every connection; here it holds up nothing but the next batch.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { MagfaceError } from '../errors.ts';
import { MagFace } from '../infer/node/magface.ts';
import type { BatchMessage, EngineMessage, EngineModels, EngineSetup, SentError } from './engine-messages.ts';

const say = (message: EngineMessage): void => parentPort?.postMessage(message);

try {
  const magface = await MagFace.load(workerData as EngineSetup);
  say({ type: 'ready', models: modelsOf(magface) });
  parentPort?.on('message', (batch: BatchMessage) => {
    run(magface, batch).then(
      () => say({ type: 'done' }),
      (error: unknown) => say({ type: 'failed', error: sent(error) }),
    );
  });
} catch (error) {
  say({ type: 'failed', error: sent(error) });
  parentPort?.close();
}

/** Answers each image as soon as it is known. */
async function run(magface: MagFace, { images, request }: BatchMessage): Promise<void> {
  const { aligned, minScore, maxFaces } = request;
  const options = { aligned, maxFaces, ...(minScore === undefined ? {} : { minScore }) };
  for await (const result of magface.stream(images, options)) {
    if (result.error !== undefined) {
      say({ type: 'image', index: result.index, outcome: { error: sent(result.error) } });
      continue;
    }
    const faces = result.faces.map(({ crop: _, mouth: __, ...face }) => face);
    say({ type: 'image', index: result.index, outcome: { image: result.image, faces } });
  }
}

function modelsOf({ model, detector }: MagFace): EngineModels {
  const { bytes: _, ...recogniser } = model;
  if (detector === undefined) return { recogniser, detector };
  const { bytes: __, ...told } = detector;
  return { recogniser, detector: told };
}

function sent(error: unknown): SentError {
  if (error instanceof MagfaceError) return { name: error.name, code: error.code, message: error.message };
  return { name: 'Error', code: 'unexpected', message: error instanceof Error ? error.message : String(error) };
}
