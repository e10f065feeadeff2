/**
 * A worker thread that analyzes images. ONNX Runtime computes in the calling thread, so several threads with a session
 * each keep all cores busy and leave the caller's thread free.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { analyzeMany, type PipelineParts, type StreamResult } from '../pipeline.ts';
import { sentError } from '../sent-error.ts';
import { openParts } from './engine.ts';
import { type ImageInput, imageReader } from './read-image.ts';
import {
  type FromWorker,
  ownMemory,
  type SentInput,
  type TaskOutcome,
  type ToWorker,
  type WorkerSetup,
} from './worker-messages.ts';

type Task = Extract<ToWorker, { kind: 'task' }>;

const { models, limits } = workerData as WorkerSetup;
const running = new Map<number, AbortController>();
const say = (message: FromWorker): void => parentPort?.postMessage(message);

try {
  const parts = await openParts(models);
  parentPort?.on('message', (message: ToWorker) => {
    if (message.kind === 'abort') running.get(message.id)?.abort();
    else void answer(message, parts);
  });
  say({ kind: 'ready' });
} catch (error) {
  say({ kind: 'failed', id: undefined, error: sentError(error) });
  parentPort?.close();
}

/** Tasks overlap: one image is read while another is analyzed. */
async function answer({ id, inputs, options }: Task, parts: PipelineParts): Promise<void> {
  const abort = new AbortController();
  running.set(id, abort);
  try {
    const images = inputs.map(received);
    const how = { ...options, signal: abort.signal, read: imageReader(options, limits) };
    const outcomes: TaskOutcome[] = [];
    for await (const result of analyzeMany(images, parts, how)) outcomes.push(outcomeOf(result));
    say({ kind: 'done', id, outcomes });
  } catch (error) {
    say({ kind: 'failed', id, error: sentError(error) });
  } finally {
    running.delete(id);
  }
}

const received = (input: SentInput): ImageInput =>
  typeof input === 'object' && 'address' in input ? new URL(input.address) : input;

function outcomeOf(result: StreamResult<ImageInput>): TaskOutcome {
  if (result.error !== undefined) return { error: sentError(result.error) };
  const faces = result.faces.map((face) => ({
    ...face,
    crop: { ...face.crop, data: ownMemory(face.crop.data) },
    embedding: ownMemory(face.embedding),
  }));
  return { image: result.image, faces };
}
