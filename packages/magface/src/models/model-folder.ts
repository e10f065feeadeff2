/**
 * Builds a folder of models for a browser: files, and `index.json` with their contracts. Whatever needs Node is done here:
 * the contract is read and checked, the batch is freed, and the digest is put into the file's name.
 */
import { sha256 } from '../format/digest.ts';
import { readyToRun } from '../graph/onnx/file.ts';
import type { ModelContract } from './contract.ts';
import type { LoadedModel } from './load-model.ts';

/** The entry of one file in `index.json`. */
export interface FolderModel<Contract extends ModelContract = ModelContract> {
  readonly id: string;
  /** Name in the folder; it contains the start of the digest, so a named file never changes. */
  readonly file: string;
  readonly bytes: number;
  /** SHA-256 of the file, hexadecimal. */
  readonly sha256: string;
  /** SHA-256 of the original file, which identifies its embeddings. */
  readonly digest: string;
  /** Whether the batch dimension is free. */
  readonly freeBatch: boolean;
  readonly contract: Contract;
}

/** A loaded model of either kind. */
export type FolderSource = Pick<LoadedModel, 'name' | 'id' | 'path' | 'digest' | 'bytes'> & {
  readonly contract: ModelContract;
};

/** File name of the list. */
const folderList = 'index.json';

/** @returns the folder's files by name, `index.json` among them */
export function modelFolder(models: readonly FolderSource[]): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  const list = models.map((model): FolderModel => {
    const ready = model.contract.kind === 'recogniser' ? readyToRun(model.bytes, model.name) : undefined;
    const bytes = ready?.bytes ?? model.bytes;
    const digest = sha256(bytes);
    const id = model.id ?? fileStem(model.path);
    const file = `${id}-${digest.slice(0, 8)}.onnx`;
    files.set(file, bytes);
    const { contract } = model;
    const free = ready?.batchFree === true;
    return { id, file, bytes: bytes.length, sha256: digest, digest: model.digest, freeBatch: free, contract };
  });
  files.set(folderList, new TextEncoder().encode(`${JSON.stringify(list, undefined, 2)}\n`));
  return files;
}

/** A name that needs no escaping in a URL. */
const fileStem = (path: string): string =>
  path
    .replace(/^.*[\\/]/, '')
    .replace(/\.onnx$/i, '')
    .replaceAll(/[^\w.-]+/g, '-');
