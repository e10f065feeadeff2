/** Loads a model's bytes and contract by its name. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ModelError } from '../errors.ts';
import { sha256 } from '../format/digest.ts';
import { hasExternalData, readExternalData } from '../graph/onnx/external.ts';
import { type OnnxSummary, parseOnnx, summaryOf, writeOnnx } from '../graph/onnx/file.ts';
import type { ModelProto } from '../graph/onnx/onnx_pb.ts';
import { cacheFolder, cachePath, readAddressDigest, readCached, writeAddressDigest, writeCached } from './cache.ts';
import {
  type ContractOf,
  contractFields,
  type ModelContract,
  type ModelKind,
  officialInput,
  parseContract,
} from './contract.ts';
import { type FetchOptions, fetchModel } from './fetch.ts';
import { nearestIds, type RegistryEntry, readRegistry } from './registry.ts';
import { parseSource } from './source.ts';

/** How a model is found, downloaded and described. */
export interface LoadModelOptions extends Omit<FetchOptions, 'model'> {
  /** Refuse models of other kinds. @default any kind */
  readonly kind?: ModelKind | undefined;
  /** Refuse the network. @default false */
  readonly offline?: boolean | undefined;
  /** @default MAGFACE_CACHE, else the user's cache folder */
  readonly cacheDir?: string | undefined;
  /** Contract fields that override file and registry. @default none */
  readonly describe?: Readonly<Record<string, unknown>> | undefined;
  /** Download an address without a known digest again. @default false: the first download is used, offline too */
  readonly refresh?: boolean | undefined;
  /** Name for errors, notes and the result. @default the name it is loaded by */
  readonly called?: string | undefined;
  /** SHA-256 to expect from an address. @default none: the digest of the first download is recorded */
  readonly sha256?: string | undefined;
}

/** A model that a runtime can open. */
export interface LoadedModel<Kind extends ModelKind = ModelKind> {
  /** As the caller named it. */
  readonly name: string;
  /** Registry id, also of a file given by path that its digest identifies. */
  readonly id: string | undefined;
  /** The file on this machine. */
  readonly path: string;
  /** SHA-256 of the file, hexadecimal. */
  readonly digest: string;
  readonly bytes: Uint8Array;
  readonly contract: ContractOf<Kind>;
  /** One sentence for each assumption that neither the file nor the registry confirms. */
  readonly assumed: readonly string[];
}

/**
 * Reads a model from disk, package, cache or network, verifies its digest and determines its contract.
 *
 * @param name - a path, an id of the registry, `https:` or `npm:NAME@VERSION/PATH`
 * @throws {ModelError} if the model cannot be found, fetched, verified or read
 */
export async function loadModel<Kind extends ModelKind = ModelKind>(
  name: string,
  options: LoadModelOptions & { readonly kind?: Kind | undefined } = {},
): Promise<LoadedModel<Kind>> {
  const registry = await readRegistry();
  const named = registry.find(({ id }) => id === name);
  const { called = name } = options;
  const { bytes: stored, path, parsed = parseOnnx(stored, called) } = await obtain(name, named, options);
  const bytes = await withExternalData(stored, parsed, { name: called, path });
  const digest = sha256(bytes);
  const known = named ?? registry.find((entry) => entry.sha256 === digest);
  const { contract, assumed } = describeModel(summaryOf(parsed), { ...options, name: called, known });
  if (options.kind !== undefined && contract.kind !== options.kind) {
    throw new ModelError('model_wrong_contract', called, {
      expected: `a ${options.kind}`,
      problem: `${called} is a ${contract.kind}`,
      remedy: '`magface models list` shows which is which',
    });
  }
  return { name: called, id: known?.id, path, digest, bytes, contract: contract as ContractOf<Kind>, assumed };
}

interface Obtained {
  readonly bytes: Uint8Array;
  readonly path: string;
  /** Present if it was parsed already. */
  readonly parsed?: ModelProto;
}

/** The bytes, from disk, cache or network. */
async function obtain(name: string, entry: RegistryEntry | undefined, options: LoadModelOptions): Promise<Obtained> {
  const { called = name } = options;
  if (entry !== undefined && entry.source === undefined) {
    throw new ModelError('model_missing', called, {
      expected: `to download ${called}`,
      problem: 'it is not published for download',
      remedy: entry.instructions ?? 'pass the path of the file',
    });
  }
  const source = parseSource(entry?.source ?? name);
  if (source.kind === 'path') return { bytes: await readModelFile(called, source.path), path: source.path };
  if (source.kind === 'package') {
    const path = fileURLToPath(new URL(`../../${source.file}`, import.meta.url));
    return { bytes: await readModelFile(called, path), path };
  }
  const folder = cacheFolder(options.cacheDir);
  const address = entry?.source ?? name;
  const promised = entry?.sha256 ?? options.sha256;
  const refresh = options.refresh === true && promised === undefined;
  const expected = promised ?? (refresh ? undefined : await readAddressDigest(folder, address));
  const cached = expected === undefined ? undefined : await readCached(folder, expected);
  if (cached !== undefined && expected !== undefined) return { bytes: cached, path: cachePath(folder, expected) };
  if (options.offline === true) {
    throw new ModelError('model_offline', called, {
      expected: `${called} in ${folder}`,
      problem: 'it is not cached, and `offline` forbids the download',
      remedy: `download it once with \`magface models pull ${name}\``,
    });
  }
  const bytes = await fetchModel(source, { ...options, model: called });
  const digest = sha256(bytes);
  if (promised !== undefined && digest !== promised) {
    throw new ModelError('model_wrong_digest', called, {
      expected: `${called} to have SHA-256 ${promised}`,
      problem: `the download has ${digest} and was not kept`,
      remedy: 'try again, and report it if the error persists',
    });
  }
  const parsed = parseOnnx(bytes, called); // do not cache an error page
  const path = await writeCached(folder, bytes, called);
  if (promised === undefined) await writeAddressDigest(folder, address, digest);
  return { bytes, path, parsed };
}

async function readModelFile(name: string, path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code !== 'ENOENT') {
      const why = code === 'EISDIR' ? 'it is a folder' : `it cannot be read (${code})`;
      throw new ModelError(
        'model_missing',
        name,
        { expected: `a model file at ${path}`, problem: why, remedy: 'pass the .onnx file' },
        { cause },
      );
    }
    const ids = (await readRegistry()).map(({ id }) => id);
    const near = nearestIds(name, ids);
    const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : `known ids are ${ids.join(', ')}`;
    const looksLikePath = /[/\\]|\.[a-z]+$/i.test(name);
    throw new ModelError(
      'model_unknown',
      name,
      {
        expected: 'a model',
        problem: `"${name}" is neither a file nor an id`,
        remedy: `${looksLikePath ? 'check the path, or pass an id' : 'check its spelling'}; ${hint}`,
      },
      { cause },
    );
  }
}

/** The file's bytes with its external data. */
async function withExternalData(
  bytes: Uint8Array,
  parsed: ModelProto,
  { name, path }: { readonly name: string; readonly path: string },
): Promise<Uint8Array> {
  if (!hasExternalData(parsed)) return bytes;
  await readExternalData(parsed, path);
  return writeOnnx(parsed, name);
}

interface KnownOfModel extends Pick<LoadModelOptions, 'kind' | 'describe'> {
  readonly name: string;
  readonly known: RegistryEntry | undefined;
}

/** The contract from the caller, else the file's metadata, else the registry, else the official code's settings. */
function describeModel(
  summary: OnnxSummary,
  { name, known, kind, describe }: KnownOfModel,
): { readonly contract: ModelContract; readonly assumed: string[] } {
  const own = contractFields(summary.metadata, name);
  const assumed: string[] = [];
  const silent = Object.keys(own).length === 0 && known === undefined && describe === undefined;
  const fields = silent
    ? assume(summary, { name, kind, assumed })
    : {
        ...(describe === undefined ? {} : shapeFields(summary)),
        ...measured(describe, known?.contract, own),
        ...describe,
      };
  const contract = parseContract(fields, name);
  expectFitting(contract, summary, name);
  return { contract, assumed };
}

/** Fields of file and registry; a different input invalidates their scale and thresholds. */
function measured(describe: KnownOfModel['describe'], ...told: readonly (object | undefined)[]): object {
  const all = Object.assign({}, ...told) as Record<string, unknown>;
  if (describe?.['input'] === undefined) return all;
  const { calibration: _, thresholds: __, ...rest } = all;
  return rest;
}

/** Fields that the file's shapes determine. */
function shapeFields({ outputs }: OnnxSummary): object {
  const length = (outputs.find(({ name }) => name === 'embedding') ?? outputs[0])?.dims[1];
  return { kind: 'recogniser', ...(typeof length === 'number' ? { embeddingLength: length } : {}) };
}

/** Guesses the contract of a file from its shapes, with one sentence per guess. */
function assume(
  { inputs, outputs }: OnnxSummary,
  { name, kind, assumed }: { readonly name: string; readonly kind: ModelKind | undefined; readonly assumed: string[] },
): object {
  const dims = inputs[0]?.dims ?? [];
  if (outputs.some((output) => output.name === 'kps_8')) {
    assumed.push(
      `${name} has no record: assumed to be a YuNet detector from the names of its outputs, with BGR pixels from 0 to 255.`,
    );
    return {
      kind: 'detector',
      decoder: 'yunet',
      input: { layout: 'NCHW', channelOrder: 'BGR', mean: [0, 0, 0], scale: [1, 1, 1] },
    };
  }
  if (kind === 'detector') {
    throw new ModelError('model_wrong_contract', name, {
      expected: 'a detector of a known kind (YuNet, BlazeFace)',
      problem: `${name} has no record and has other outputs`,
      remedy: 'use blazeface or yunet',
    });
  }
  if (kind === 'aligner') {
    throw new ModelError('model_wrong_contract', name, {
      expected: 'an aligner',
      problem: `${name} has no record that says so`,
      remedy: 'use face-aligner, or train one with scripts/aligner.ts',
    });
  }
  const length = outputs[0]?.dims[1];
  if (inputs.length !== 1 || dims.length !== 4 || typeof length !== 'number') {
    const shape = inputs.map((input) => `${input.name} (${input.dims.join(', ')})`).join(', ');
    throw new ModelError('model_wrong_contract', name, {
      expected: 'a face recogniser with one input (N, 3, 112, 112) and an embedding (N, D)',
      problem: `${name} takes ${shape}`,
      remedy: 'export it in this form, or use another model',
    });
  }
  const nhwc = dims[3] === 3;
  const [height, width] = nhwc ? [dims[1], dims[2]] : [dims[2], dims[3]];
  expectFaceSize(width, height, name);
  assumed.push(
    `${name} has no record: assumed BGR pixels / 255, like the official MagFace models. If this is wrong, results are poor without an error.`,
  );
  return { kind: 'recogniser', input: { ...officialInput, layout: nhwc ? 'NHWC' : 'NCHW' }, embeddingLength: length };
}

function expectFaceSize(width: number | string | undefined, height: number | string | undefined, name: string): void {
  const fits = [width, height].every((size) => typeof size === 'string' || size === 112);
  if (fits) return;
  throw new ModelError('model_wrong_contract', name, {
    expected: 'a recogniser of 112x112 faces',
    problem: `${name} takes ${width}x${height}`,
    remedy: 'use a model for the 112x112 template (see `magface models list`)',
  });
}

/** Rejects a contract that contradicts the file's shapes. */
function expectFitting(contract: ModelContract, { inputs, outputs }: OnnxSummary, name: string): void {
  if (contract.kind !== 'recogniser') return;
  const dims = inputs[0]?.dims ?? [];
  if (dims.length === 4) {
    const [height, width] = contract.input.layout === 'NHWC' ? [dims[1], dims[2]] : [dims[2], dims[3]];
    expectFaceSize(width, height, name);
  }
  const length = (outputs.find((output) => output.name === 'embedding') ?? outputs[0])?.dims[1];
  if (typeof length !== 'number' || length === contract.embeddingLength) return;
  throw new ModelError('model_wrong_contract', name, {
    expected: `embeddings of ${contract.embeddingLength} values (as the record of ${name} says)`,
    problem: `the file gives ${length}`,
    remedy: "correct the record's embeddingLength",
  });
}
