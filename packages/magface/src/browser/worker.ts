/** The worker: opens the engine once, then runs jobs one after another, so that networks never block the page. */
/// <reference lib="dom" />
import { type Answering, answerer } from '../calls.ts';
import { MagfaceError } from '../errors.ts';
import { type Engine, openEngine } from './engine.ts';
import type { Answer, Request } from './messages.ts';
import type { LoadProgress } from './models.ts';

type Task = Parameters<Answering<Request, Answer, LoadProgress>>[1];

let engine: Engine | undefined;
let last: Promise<unknown> = Promise.resolve();

const receive = answerer<Request, Answer, LoadProgress>(
  async (request, task) => {
    const turn = last.then(() => run(request, task));
    last = turn.catch(() => undefined);
    const answer = await turn.catch(throwTyped);
    return { answer, transfer: buffersOf(answer) };
  },
  (message, transfer) => postMessage(message, { transfer: transfer as ArrayBuffer[] }),
);
addEventListener('message', ({ data }) => void receive(data));

async function run(request: Request, { signal, onProgress }: Task): Promise<Answer> {
  signal.throwIfAborted();
  if (request.kind === 'open') {
    engine = await openEngine(request.options, onProgress);
    return engine.opened;
  }
  if (engine === undefined) throw new Error('the models are not open');
  return engine[request.kind]({ ...request, signal });
}

/** Gives unexpected errors a code that pages can test. */
function throwTyped(error: unknown): never {
  if (error instanceof MagfaceError || (error instanceof Error && error.name === 'AbortError')) throw error;
  throw new MagfaceError('browser_failed', error instanceof Error ? error.message : String(error));
}

/** Buffers of crops and embeddings, which are transferred to the page. */
function buffersOf(answer: Answer): ArrayBuffer[] {
  if (!('faces' in answer)) return [];
  return answer.faces.flatMap(({ crop, embedding }) => [crop.data.buffer, embedding.buffer] as ArrayBuffer[]);
}
