/** The worker: opens the engine once, then runs jobs one after another, so that networks never block the page. */
/// <reference lib="dom" />
import { sentError } from '../infer/sent-error.ts';
import { type Engine, openEngine } from './engine.ts';
import type { Answers, Reply, Request } from './messages.ts';

let engine: Engine | undefined;
const aborts = new Map<number, AbortController>();
let last: Promise<void> = Promise.resolve();

addEventListener('message', ({ data: request }: MessageEvent<Request>) => {
  if (request.kind === 'abort') {
    aborts.get(request.id)?.abort();
    return;
  }
  aborts.set(request.id, new AbortController());
  last = last.then(() => answer(request));
});

async function answer(request: Exclude<Request, { kind: 'abort' }>): Promise<void> {
  const { id } = request;
  const { signal } = aborts.get(id)!;
  try {
    signal.throwIfAborted();
    const value = await run(request, signal);
    reply({ id, kind: 'done', value }, buffersOf(value));
  } catch (error) {
    reply({ id, kind: 'failed', error: sentError(error) });
  } finally {
    aborts.delete(id);
  }
}

async function run(request: Exclude<Request, { kind: 'abort' }>, signal: AbortSignal): Promise<Answers[keyof Answers]> {
  if (request.kind === 'open') {
    engine = await openEngine(request.options, (progress) => reply({ id: request.id, kind: 'progress', progress }));
    return engine.opened;
  }
  if (engine === undefined) throw new Error('the models were not opened');
  return engine[request.kind]({ ...request, signal });
}

function reply(message: Reply, transfer: Transferable[] = []): void {
  postMessage(message, { transfer });
}

/** Buffers of crops and embeddings, which are transferred to the page. */
function buffersOf(value: Answers[keyof Answers]): Transferable[] {
  if (!('faces' in value)) return [];
  return value.faces.flatMap(({ crop, embedding }) => [crop.data.buffer, embedding.buffer] as ArrayBuffer[]);
}
