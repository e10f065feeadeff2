/**
 * Calls to a thread, the one protocol of all threads: those of Node and the browser's worker. A call is a request with
 * a number; the thread answers under that number, in any order, after any progress. An abort is sent under the number
 * too: the caller goes on at once, and the thread answers when it has stopped.
 */
import { firstLine, MagfaceError } from './errors.ts';
import { receivedError, type SentError, sentError } from './sent-error.ts';

/** Message to a thread. */
export type ToThread<Request> =
  | { readonly id: number; readonly request: Request }
  | { readonly id: number; readonly abort: true };

/** Message from a thread. */
export type FromThread<Answer, Progress = never> =
  | { readonly id: number; readonly answer: Answer }
  | { readonly id: number; readonly error: SentError }
  | { readonly id: number; readonly progress: Progress };

/** What a message may transfer, in Node and in browsers. */
export type Transferred = ArrayBuffer | { readonly close: () => void };

export interface CallOptions<Progress = never> {
  readonly signal?: AbortSignal | undefined;
  /** Moved to the thread instead of copied. @default nothing */
  readonly transfer?: readonly Transferred[];
  readonly onProgress?: ((progress: Progress) => void) | undefined;
}

interface Pending<Answer, Progress> {
  resolve(answer: Answer): void;
  reject(error: unknown): void;
  readonly onProgress: CallOptions<Progress>['onProgress'];
}

/** The caller's side. */
export class Calls<Request, Answer, Progress = never> {
  readonly #post: (message: ToThread<Request>, transfer: readonly Transferred[]) => void;
  readonly #onAnswer: () => void;
  readonly #pending = new Map<number, Pending<Answer, Progress>>();
  #next = 0;
  #ended: { readonly reason: unknown } | undefined;

  /**
   * @param post - sends a message to the thread
   * @param onAnswer - called after each answer, also to an aborted call
   */
  constructor(
    post: (message: ToThread<Request>, transfer: readonly Transferred[]) => void,
    onAnswer: () => void = () => undefined,
  ) {
    this.#post = post;
    this.#onAnswer = onAnswer;
  }

  /** Number of calls that the thread works on, including aborted ones. */
  get pending(): number {
    return this.#pending.size;
  }

  /**
   * @throws the thread's error in its own class; the signal's reason; the reason of {@link end}
   * @throws {DOMException} DataCloneError if the request cannot be sent
   */
  async call(request: Request, { signal, transfer = [], onProgress }: CallOptions<Progress> = {}): Promise<Answer> {
    if (this.#ended !== undefined) throw this.#ended.reason;
    signal?.throwIfAborted();
    const id = this.#next++;
    let abort = (): void => undefined;
    try {
      return await new Promise<Answer>((resolve, reject) => {
        this.#post({ id, request }, transfer);
        this.#pending.set(id, { resolve, reject, onProgress });
        abort = () => {
          this.#post({ id, abort: true }, []);
          reject(signal!.reason);
        };
        signal?.addEventListener('abort', abort, { once: true });
      });
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  /** Takes a message of the thread. */
  receive(message: FromThread<Answer, Progress>): void {
    const pending = this.#pending.get(message.id);
    if ('progress' in message) {
      pending?.onProgress?.(message.progress);
      return;
    }
    this.#pending.delete(message.id);
    this.#onAnswer();
    if ('error' in message) pending?.reject(receivedError(message.error));
    else pending?.resolve(message.answer);
  }

  /** Rejects pending and later calls with the reason, and asks the thread to stop working on them. */
  end(reason: unknown): void {
    if (this.#ended !== undefined) return;
    this.#ended = { reason };
    for (const [id, { reject }] of this.#pending) {
      this.#post({ id, abort: true }, []);
      reject(reason);
    }
  }
}

/** What a thread does for a request. */
export type Answering<Request, Answer, Progress = never> = (
  request: Request,
  task: { readonly signal: AbortSignal; readonly onProgress: (progress: Progress) => void },
) => Promise<{ readonly answer: Answer; readonly transfer?: readonly Transferred[] }>;

/**
 * The thread's side.
 *
 * @param answering - called for each request at once, so requests overlap
 * @param post - sends a message to the caller
 * @returns what takes the caller's messages
 */
export function answerer<Request, Answer, Progress = never>(
  answering: Answering<Request, Answer, Progress>,
  post: (message: FromThread<Answer, Progress>, transfer: readonly Transferred[]) => void,
): (message: ToThread<Request>) => Promise<void> {
  const running = new Map<number, AbortController>();
  return async (message) => {
    const { id } = message;
    if ('abort' in message) return running.get(id)?.abort();
    const controller = new AbortController();
    running.set(id, controller);
    try {
      const onProgress = (progress: Progress): void => post({ id, progress }, []);
      const { answer, transfer = [] } = await answering(message.request, { signal: controller.signal, onProgress });
      post({ id, answer }, transfer);
    } catch (error) {
      post({ id, error: sentError(error) }, []);
    } finally {
      running.delete(id);
    }
  };
}

/** The error of calls to a thread that ended. */
export function threadEnded(cause?: Error): MagfaceError {
  const why = cause === undefined ? '' : ` (${firstLine(cause)})`;
  return new MagfaceError(
    'worker_failed',
    { expected: 'a running worker thread', problem: `it ended${why}`, remedy: 'start again' },
    { cause },
  );
}
