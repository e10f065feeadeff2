/** Downloads models from a folder that `magface page` wrote: reports progress, verifies digests and caches the files. */
import { ModelError } from '../errors.ts';
import { type FetchFault, fetchBytes } from '../fetch-bytes.ts';
import type { ContractOf, ModelContract, ModelKind } from '../models/contract.ts';
import type { FolderModel } from '../models/model-folder.ts';

/** Download progress over all models. */
export interface LoadProgress {
  /** The model being downloaded. */
  readonly model: string;
  /** Bytes received so far, of all models. */
  readonly received: number;
  /** Total bytes of all models. */
  readonly total: number;
}

/** Caches models under URLs that contain their digest, and the last list for offline use. */
const cacheName = 'magface-models';

/**
 * @param folder - absolute URL, ending in a slash
 * @returns the models in the folder's `index.json`, or in its cached copy if the network is down
 * @throws {ModelError} `model_missing` if there is no list
 */
export async function listFolder(folder: string): Promise<readonly FolderModel[]> {
  const address = new URL('index.json', folder).href;
  const cache = await openCache();
  const response = await fetch(address, { cache: 'no-cache' }).catch(() => undefined);
  if (response?.ok === true) {
    await cache?.put(address, response.clone()).catch(() => undefined);
    return asList(await response.json().catch(() => undefined), address);
  }
  const kept = await cache?.match(address);
  if (kept !== undefined) return asList(await kept.json(), address);
  const why = response === undefined ? 'the server cannot be reached' : `the server answered ${response.status}`;
  throw new ModelError('model_missing', address, {
    expected: `a list of models at ${address}`,
    problem: why,
    remedy: 'write the folder with `magface page --output DIR`',
  });
}

function asList(value: unknown, address: string): readonly FolderModel[] {
  if (Array.isArray(value) && value.every((entry) => typeof entry?.file === 'string' && entry.contract)) return value;
  throw new ModelError('model_missing', address, {
    expected: `a list of models at ${address}`,
    received: 'other content',
    remedy: 'write the folder with `magface page --output DIR`',
  });
}

/** @throws {ModelError} `model_unknown` if the folder has no model of that kind or id */
export function pickModel<Kind extends ModelKind>(
  list: readonly FolderModel[],
  kind: Kind,
  id: string | undefined,
): FolderModel<ContractOf<Kind>> {
  const ofKind = list.filter((model) => model.contract.kind === kind) as FolderModel<ContractOf<Kind>>[];
  const found = id === undefined ? ofKind[0] : ofKind.find((model) => model.id === id);
  if (found !== undefined) return found;
  const has = ofKind.map((model) => model.id).join(', ') || 'none';
  throw new ModelError('model_unknown', id ?? kind, {
    expected: `a ${kind}${id === undefined ? '' : ` named ${id}`} in the model folder`,
    problem: `it has ${has}`,
    remedy: 'write it with `magface page --model M --detector D`',
  });
}

/**
 * @returns the contents of the files, in order
 * @throws {ModelError} `model_download_failed` or `model_wrong_digest`
 */
export async function fetchModels(
  models: readonly FolderModel<ModelContract>[],
  folder: string,
  onProgress: (progress: LoadProgress) => void,
): Promise<Uint8Array[]> {
  const total = models.reduce((sum, { bytes }) => sum + bytes, 0);
  const cache = await openCache();
  const files: Uint8Array[] = [];
  let before = 0;
  for (const model of models) {
    const address = new URL(model.file, folder).href;
    const report = (received: number): void =>
      onProgress({ model: model.id, received: before + Math.min(received, model.bytes), total });
    const kept = await cache?.match(address);
    const cached = kept && new Uint8Array(await kept.arrayBuffer());
    const isWhole = cached !== undefined && (await hasDigest(cached, model.sha256));
    files.push(isWhole ? cached : await download(model, address, { report, cache }));
    report(model.bytes);
    before += model.bytes;
  }
  return files;
}

async function download(
  { id, bytes, sha256 }: FolderModel,
  address: string,
  { report, cache }: { readonly report: (received: number) => void; readonly cache: Cache | undefined },
): Promise<Uint8Array> {
  const fail = (why: string, cause?: unknown): never => {
    throw new ModelError(
      'model_download_failed',
      id,
      { expected: `to download ${id}`, problem: why, remedy: 'check the connection and try again' },
      { cause },
    );
  };
  const data = await fetchBytes(address, { limit: bytes, onProgress: report }).catch((fault: FetchFault) => {
    const { kind, status, received, cause } = fault;
    if (kind === 'refused') return fail(`the server answered ${status}`);
    if (kind === 'too_large') return fail(`it sent more than the announced ${bytes} bytes`);
    if (kind === 'short') return fail(`only ${received} of ${bytes} bytes arrived`);
    return fail(kind === 'lost' ? 'the connection was lost' : 'the server cannot be reached', cause);
  });
  if (data.length !== bytes) fail(`only ${data.length} of ${bytes} bytes arrived`);
  if (!(await hasDigest(data, sha256))) {
    throw new ModelError('model_wrong_digest', id, {
      expected: `${id} to have SHA-256 ${sha256}`,
      problem: 'it does not',
      remedy: 'write the model folder again',
    });
  }
  await cache?.put(address, new Response(data)).catch(() => undefined); // a full disk costs the next load, not this one
  return data;
}

/** Undefined outside secure contexts (https or localhost). */
async function openCache(): Promise<Cache | undefined> {
  return typeof caches === 'undefined' ? undefined : caches.open(cacheName).catch(() => undefined);
}

/** Outside secure contexts there are no digests either; the length must do. */
async function hasDigest(bytes: Uint8Array<ArrayBuffer>, expected: string): Promise<boolean> {
  if (crypto.subtle === undefined) return true;
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('') === expected;
}
