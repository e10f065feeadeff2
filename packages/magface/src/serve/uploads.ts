/** Reads the images of a request: a form, one bare image, or addresses if allowed. */
import type {} from '@fastify/multipart'; // FastifyRequest.files
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { firstLine, ServiceError } from '../errors.ts';
import { FetchFault, fetchBytes } from '../fetch-bytes.ts';
import type { ServeOptions } from './options.ts';

export interface UploadedImage {
  /** The client's name for it; never used as a path. */
  readonly name: string;
  /** An encoded file in its own memory. */
  readonly bytes: Uint8Array;
}

export interface UploadOptions extends Pick<ServeOptions, 'maxBytes' | 'maxImages' | 'urlHosts'> {
  readonly signal: AbortSignal;
  /** Exact number of images. @default one or more */
  readonly expected?: number;
}

const urlList = z.strictObject({ urls: z.array(z.string()).min(1) });

/**
 * @throws {ServiceError} `wrong_request`, `wrong_media_type` or `request_too_large`; the signal's reason
 */
export async function readUploads(request: FastifyRequest, options: UploadOptions): Promise<UploadedImage[]> {
  const { expected } = options;
  const images = await imagesOf(request, options);
  if (images.length > 0 && (expected === undefined || images.length === expected)) return images;
  const many = expected === undefined ? 'one or more images' : `${expected} images`;
  throw new ServiceError('wrong_request', {
    expected: many,
    received: images.length,
    remedy: 'send a form with files named "image"',
  });
}

async function imagesOf(request: FastifyRequest, options: UploadOptions): Promise<UploadedImage[]> {
  if (request.isMultipart()) return readForm(request);
  if (request.body instanceof Buffer) return [{ name: 'image', bytes: new Uint8Array(request.body) }];
  if (request.body === undefined || request.body === null) return [];
  const parsed = urlList.safeParse(request.body);
  if (!parsed.success)
    throw new ServiceError('wrong_request', {
      expected: 'JSON of the form {"urls": ["https://..."]}',
      received: 'another form',
      remedy: 'correct the body',
    });
  const { urls } = parsed.data;
  if (urls.length > options.maxImages) {
    throw new ServiceError('request_too_large', {
      expected: `at most ${options.maxImages} addresses`,
      received: urls.length,
      remedy: 'split the request',
    });
  }
  for (const url of urls) expectAllowed(url, options.urlHosts);
  return Promise.all(urls.map((url) => fetchImage(url, options.signal, options.maxBytes)));
}

async function readForm(request: FastifyRequest): Promise<UploadedImage[]> {
  const images: UploadedImage[] = [];
  try {
    for await (const part of request.files()) {
      // Small buffers share memory with others; an image moved to a thread must own its memory.
      const bytes = new Uint8Array(await part.toBuffer());
      const name = part.filename as string | undefined; // missing if only its type makes a part a file
      images.push({ name: name?.slice(0, 200) || `image ${images.length + 1}`, bytes });
    }
    return images;
  } catch (cause) {
    if (cause instanceof Error && 'statusCode' in cause) throw cause;
    const problem = `it cannot be read (${firstLine(cause)})`;
    const fault = { expected: 'a complete form', problem, remedy: 'send it again' };
    throw new ServiceError('wrong_request', fault, { cause });
  }
}

/** An address makes the service contact a host: only hosts named by the operator are allowed, by https. */
function expectAllowed(address: string, hosts: readonly string[]): void {
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (hosts.length === 0) {
    const remedy = 'send the image itself, or start the service with --url-host';
    throw new ServiceError('wrong_request', {
      expected: 'images',
      received: 'addresses, which this service rejects',
      remedy,
    });
  }
  if (url?.protocol === 'https:' && hosts.includes(url.host) && url.username === '') return;
  throw new ServiceError('wrong_request', {
    expected: `an https: address on ${hosts.join(' or ')}`,
    received: 'another address',
    remedy: 'send the image itself',
  });
}

/**
 * Refuses redirects, which could lead to other hosts.
 *
 * @throws {ServiceError} `wrong_request` if there is no such image; the signal's reason
 */
async function fetchImage(address: string, signal: AbortSignal, limit: number): Promise<UploadedImage> {
  // These bytes own their memory, as an image moved to a thread must.
  const bytes = await fetchBytes(address, { limit, signal, redirect: 'error' }).catch((fault: FetchFault) => {
    if (!(fault instanceof FetchFault)) throw fault; // timed out or disconnected: not the other server's fault
    const lost = ['the connection was lost', 'try again'] as const;
    const [problem, remedy] = {
      unreachable: ['the server did not answer', 'check the address'] as const,
      refused: [`the server answered ${fault.status}`, 'check the address'] as const,
      too_large: [`it has more than ${limit} bytes`, 'send a smaller one'] as const,
      lost,
      short: lost,
    }[fault.kind];
    const { cause } = fault;
    throw new ServiceError('wrong_request', { expected: `an image at ${address}`, problem, remedy }, { cause });
  });
  return { name: address, bytes };
}
