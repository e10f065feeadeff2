/** What lies at an address, held to a limit: the one way to the network of models, photos, the service and the page. */

/** How a download is held. */
export interface FetchBytesOptions {
  /** Most bytes; a server that announces or sends more is left at once. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
  /** Longest silence of the server in milliseconds. @default as long as the system waits */
  readonly silence?: number | undefined;
  /** `error` refuses to be sent elsewhere. @default 'follow' */
  readonly redirect?: 'follow' | 'error' | undefined;
  /** Told what came; `total` where the server says it. */
  readonly onProgress?: ((received: number, total: number | undefined) => void) | undefined;
}

/**
 * Why there are no bytes, for whoever asked to say in their own words:
 *
 *     unreachable  no answer came; `cause` says why
 *     refused      the server answered with `status`
 *     too_large    it has `received` bytes or more, above the limit
 *     lost         the connection broke on the way; `cause` says why
 *     short        only `received` of `total` bytes came
 */
export class FetchFault extends Error {
  readonly kind: 'unreachable' | 'refused' | 'too_large' | 'lost' | 'short';
  /** Of a refusal: `404 Not Found`. */
  readonly status: number;
  readonly statusText: string;
  readonly received: number;
  readonly total: number | undefined;

  constructor(kind: FetchFault['kind'], facts: Partial<Omit<FetchFault, 'kind'>> = {}) {
    super(`fetching failed: ${kind}`, { cause: facts.cause });
    this.kind = kind;
    this.status = facts.status ?? 0;
    this.statusText = facts.statusText ?? '';
    this.received = facts.received ?? 0;
    this.total = facts.total;
  }
}

/**
 * @returns the bytes, in memory of their own
 * @throws {FetchFault} and the reason of the signal
 */
export async function fetchBytes(address: string | URL, options: FetchBytesOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { signal, silence, redirect = 'follow' } = options;
  const quiet = new AbortController();
  const stop = (): void => quiet.abort(new Error(`the server was silent for ${(silence ?? 0) / 1000} s`));
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wait = (): void => {
    clearTimeout(timer);
    if (silence !== undefined) timer = setTimeout(stop, silence);
  };
  const fault =
    (kind: 'unreachable' | 'lost') =>
    (cause: unknown): never => {
      signal?.throwIfAborted();
      throw cause instanceof FetchFault ? cause : new FetchFault(kind, { cause });
    };
  try {
    wait();
    const both = signal === undefined ? quiet.signal : AbortSignal.any([signal, quiet.signal]);
    const response = await fetch(address, { signal: both, redirect }).catch(fault('unreachable'));
    return await receive(response, { ...options, onPart: wait }).catch(fault('lost'));
  } finally {
    clearTimeout(timer);
    quiet.abort(); // ends the connection where not all was read
  }
}

async function receive(
  { ok, status, statusText, headers, body }: Response,
  { limit, onProgress, onPart }: FetchBytesOptions & { readonly onPart: () => void },
): Promise<Uint8Array<ArrayBuffer>> {
  if (!ok) throw new FetchFault('refused', { status, statusText });
  // What is compressed on the way says how long it is there, not here.
  const length = headers.get('content-encoding') === null ? Number(headers.get('content-length')) : 0;
  const total = length > 0 ? length : undefined;
  if (length > limit) throw new FetchFault('too_large', { received: length, total });
  const parts: Uint8Array[] = [];
  let received = 0;
  for (const reader = body?.getReader(); reader !== undefined; ) {
    const { done, value } = await reader.read();
    if (done) break;
    onPart();
    received += value.length;
    if (received > limit) throw new FetchFault('too_large', { received, total });
    parts.push(value);
    onProgress?.(received, total);
  }
  if (total !== undefined && received !== total) throw new FetchFault('short', { received, total });
  const bytes = new Uint8Array(received);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
