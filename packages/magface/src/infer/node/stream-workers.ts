/** Analyzes many images with a pool of workers and returns the results in input order. */
import { setMaxListeners } from 'node:events';
import { asImageError, type ImageError } from '../../errors.ts';
import { receivedError } from '../../sent-error.ts';
import { idle, inTime } from '../in-time.ts';
import type { AnalyzeOptions, StreamResult } from '../pipeline.ts';
import { expectImageInput, type ImageInput } from './read-image.ts';
import type { Workers } from './workers.ts';

/** Tasks per worker that may be running or finished but not yet returned, so that a slow photo does not block the others. */
const tasksAhead = 6;

export interface WorkerStreamOptions extends AnalyzeOptions {
  /** Number of aligned faces per task; each photo is a task of its own. */
  readonly batchSize: number;
}

/** Like {@link analyzeMany}: an image that cannot be used gives a result with `error`, not an exception. */
export async function* analyzeByWorkers<Input extends ImageInput>(
  inputs: Iterable<Input> | AsyncIterable<Input>,
  workers: Workers,
  { signal, batchSize, ...options }: WorkerStreamOptions,
): AsyncGenerator<StreamResult<Input>> {
  const most = options.aligned === true ? batchSize : 1;
  const left = new AbortController(); // aborts the remaining tasks if the caller stops early
  const stop = signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]);
  setMaxListeners(0, stop); // one per running task
  const tasks: Promise<StreamResult<Input>[]>[] = [];
  let gathered: Input[] = [];
  let index = 0;
  const start = (): void => {
    if (gathered.length === 0) return;
    const task = analyzeTogether(gathered, index, (sent) => workers.run(sent, { options, signal: stop }));
    task.catch(() => undefined); // rethrown when its turn comes
    tasks.push(task);
    index += gathered.length;
    gathered = [];
  };
  try {
    for await (const input of inTime(inputs, signal)) {
      if (input !== idle) gathered.push(input);
      if (input === idle || gathered.length === most) start();
      while (tasks.length > (input === idle ? 0 : tasksAhead * workers.count)) yield* await tasks.shift()!;
    }
    start();
    while (tasks.length > 0) yield* await tasks.shift()!;
  } finally {
    left.abort();
  }
}

type Run = (inputs: readonly ImageInput[]) => ReturnType<Workers['run']>;

async function analyzeTogether<Input extends ImageInput>(
  inputs: readonly Input[],
  first: number,
  run: Run,
): Promise<StreamResult<Input>[]> {
  const wrong = inputs.map(faultOf);
  const sent = inputs.filter((_, i) => wrong[i] === undefined);
  const outcomes = sent.length === 0 ? [] : [...(await run(sent))];
  return inputs.map((input, i) => {
    const place = { input, index: first + i };
    const fault = wrong[i];
    if (fault !== undefined) return { ...place, error: fault };
    const outcome = outcomes.shift()!;
    if (outcome.error === undefined) return { ...place, ...outcome };
    return { ...place, error: asImageError(receivedError(outcome.error)) };
  });
}

/** The error of an input that cannot be sent to a worker. */
function faultOf(input: unknown): ImageError | undefined {
  try {
    expectImageInput(input);
    return undefined;
  } catch (error) {
    return asImageError(error);
  }
}
