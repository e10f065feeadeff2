/** Many images through a pool of workers, with the results in the order of the inputs. */
import { setMaxListeners } from 'node:events';
import { asImageError, type ImageError } from '../../errors.ts';
import { idle, inTime } from '../in-time.ts';
import type { AnalyzeOptions, StreamResult } from '../pipeline.ts';
import { receivedError } from '../sent-error.ts';
import { expectImageInput, type ImageInput } from './read-image.ts';
import type { Workers } from './workers.ts';

/** Tasks for each worker that are under way or done and waiting for their turn: one slow photo holds up nobody at once. */
const tasksAhead = 6;

export interface WorkerStreamOptions extends AnalyzeOptions {
  /** Aligned faces in a task; a photo is a task of its own. */
  readonly batchSize: number;
}

/** As {@link analyzeMany}: an image that cannot be used is a result with `error`, not an exception. */
export async function* analyzeByWorkers<Input extends ImageInput>(
  inputs: Iterable<Input> | AsyncIterable<Input>,
  workers: Workers,
  { signal, batchSize, ...options }: WorkerStreamOptions,
): AsyncGenerator<StreamResult<Input>> {
  const most = options.aligned === true ? batchSize : 1;
  const left = new AbortController(); // a caller that stops early waits for nothing
  const stop = signal === undefined ? left.signal : AbortSignal.any([signal, left.signal]);
  setMaxListeners(0, stop); // one for each task that is under way
  const tasks: Promise<StreamResult<Input>[]>[] = [];
  let gathered: Input[] = [];
  let index = 0;
  const start = (): void => {
    if (gathered.length === 0) return;
    const task = analyzeTogether(gathered, index, (sent) => workers.run(sent, { options, signal: stop }));
    task.catch(() => undefined); // raised where its turn comes
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

/** What no message could carry is told here. */
function faultOf(input: unknown): ImageError | undefined {
  try {
    expectImageInput(input);
    return undefined;
  } catch (error) {
    return asImageError(error);
  }
}
