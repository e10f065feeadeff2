/** The worker: opens the analyzer once, then runs jobs one after another, so that networks never block the page. */
/// <reference lib="dom" />
import { type Answering, answerer } from '../calls.ts';
import { firstLine, MagfaceError } from '../errors.ts';
import { type Analyzer, openAnalyzer } from './analyzer.ts';
import type { Reply, Request } from './messages.ts';
import type { LoadProgress } from './models.ts';

type Task = Parameters<Answering<Request, Reply, LoadProgress>>[1];

let analyzer: Analyzer | undefined;
let last: Promise<unknown> = Promise.resolve();

const receive = answerer<Request, Reply, LoadProgress>(
  async (request, task) => {
    const turn = last.then(() => run(request, task));
    last = turn.catch(() => undefined);
    const answer = await turn.catch(throwTyped);
    return { answer, transfer: buffersOf(answer) };
  },
  (message, transfer) => postMessage(message, { transfer: transfer as ArrayBuffer[] }),
);
addEventListener('message', ({ data }) => void receive(data));

async function run(request: Request, { signal, onProgress }: Task): Promise<Reply> {
  signal.throwIfAborted();
  if (request.kind === 'open') {
    analyzer = await openAnalyzer(request.options, onProgress);
    return analyzer.opened;
  }
  if (analyzer === undefined) throw new Error('the models are not open');
  return analyzer[request.kind]({ ...request, signal });
}

/** Gives unexpected errors a code that pages can test. */
function throwTyped(error: unknown): never {
  if (error instanceof MagfaceError || (error instanceof Error && error.name === 'AbortError')) throw error;
  const problem = `it failed (${firstLine(error)})`;
  const fault = { expected: 'the worker to answer', problem, remedy: 'reload the page' };
  throw new MagfaceError('browser_failed', fault, { cause: error });
}

/** Buffers of crops and embeddings, which are transferred to the page. */
function buffersOf(answer: Reply): ArrayBuffer[] {
  if (!('faces' in answer)) return [];
  return answer.faces.flatMap(({ crop, embedding }) => [crop.data.buffer, embedding.buffer] as ArrayBuffer[]);
}
