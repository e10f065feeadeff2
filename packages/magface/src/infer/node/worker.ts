/**
 * A worker thread that analyzes images. ONNX Runtime computes in the calling thread, so several threads with a session
 * each keep all cores busy and leave the caller's thread free.
 */
import { workerData } from 'node:worker_threads';
import { answerCalls } from '../../machine/thread.ts';
import { sentError } from '../../sent-error.ts';
import { analyzeMany, type StreamResult } from '../pipeline.ts';
import { openParts } from './engine.ts';
import { type ImageInput, imageReader } from './read-image.ts';
import { ownMemory, type SentInput, type TaskOutcome, type WorkerRequest, type WorkerSetup } from './workers.ts';

const { models, limits } = workerData as WorkerSetup;
const opening = openParts(models);
opening.catch(() => undefined); // each call tells

/** Tasks overlap: one image is read while another is analyzed. */
answerCalls<WorkerRequest, readonly TaskOutcome[]>(async (request, { signal }) => {
  const parts = await opening;
  const outcomes: TaskOutcome[] = [];
  if (request === 'open') return { answer: outcomes };
  const { inputs, options } = request;
  const how = { ...options, signal, read: imageReader(options, limits) };
  for await (const result of analyzeMany(inputs.map(received), parts, how)) outcomes.push(outcomeOf(result));
  return { answer: outcomes };
});

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
