/** Downloads with a size limit: used for models, photos, images by address in the service, and the web page. */

/** Limits and callbacks of a download. */
export interface FetchBytesOptions {
  /** Maximum number of bytes. The connection is closed as soon as the server announces or sends more. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
  /** Maximum time without data, in milliseconds. @default no limit of our own */
  readonly silence?: number | undefined;
  /** `error` fails on a redirect. @default 'follow' */
  readonly redirect?: 'follow' | 'error' | undefined;
  /** Called with the number of bytes received; `total` is undefined if the server does not announce it. */
  readonly onProgress?: ((received: number, total: number | undefined) => void) | undefined;
}

/**
 * Why a download failed. Callers write the message:
 *
 *     unreachable  no answer; `cause` has the reason
 *     refused      the server answered with `status`
 *     too_large    `received` bytes are announced or received, more than the limit
 *     lost         the connection broke; `cause` has the reason
 *     short        only `received` of `total` bytes were received
 */
export class FetchFault extends Error {
  readonly kind: 'unreachable' | 'refused' | 'too_large' | 'lost' | 'short';
  /** HTTP status of `refused`, else 0. */
  readonly status: number;
  readonly statusText: string;
  readonly received: number;
  readonly total: number | undefined;

  constructor(kind: FetchFault['kind'], facts: Partial<Omit<FetchFault, 'kind'>> = {}) {
    super(`download failed: ${kind}`, { cause: facts.cause });
    this.kind = kind;
    this.status = facts.status ?? 0;
    this.statusText = facts.statusText ?? '';
    this.received = facts.received ?? 0;
    this.total = facts.total;
  }
}

/**
 * Downloads an address into memory.
 *
 * @returns the bytes, in a buffer of their own
 * @throws {FetchFault} if the download fails; after an abort, the reason of the signal
 */
export async function fetchBytes(address: string | URL, options: FetchBytesOptions): Promise<Uint8Array<ArrayBuffer>> {
  const { signal, silence, redirect = 'follow' } = options;
  const quiet = new AbortController();
  const stop = (): void => quiet.abort(new Error(`the server sent nothing for ${(silence ?? 0) / 1000} s`));
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
    quiet.abort(); // closes the connection if the body was not read to its end
  }
}

async function receive(
  { ok, status, statusText, headers, body }: Response,
  { limit, onProgress, onPart }: FetchBytesOptions & { readonly onPart: () => void },
): Promise<Uint8Array<ArrayBuffer>> {
  if (!ok) throw new FetchFault('refused', { status, statusText });
  // With a content encoding, Content-Length is the compressed size.
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
