/**
 * Models as a browser loads them: a folder of files beside `index.json`, which says what each promises. All that needs
 * Node is done before: the contract is read and checked, the batch is made free, the digest stands in the file's name.
 */
import { sha256 } from '../format/digest.ts';
import { readyToRun } from '../onnx/file.ts';
import type { ModelContract } from './contract.ts';
import type { LoadedModel } from './load-model.ts';

/** What `index.json` says of one file. */
export interface FolderModel<Contract extends ModelContract = ModelContract> {
  readonly id: string;
  /** Name in the folder; it holds the start of the digest, so that a file never changes under its name. */
  readonly file: string;
  readonly bytes: number;
  /** SHA-256 of the file, hexadecimal. */
  readonly sha256: string;
  /** SHA-256 of the file it was made from, by which embeddings are told apart. */
  readonly digest: string;
  /** Whether one run may take many faces. */
  readonly freeBatch: boolean;
  readonly contract: Contract;
}

/** A loaded model of either kind. */
export type FolderSource = Pick<LoadedModel, 'name' | 'id' | 'path' | 'digest' | 'bytes'> & {
  readonly contract: ModelContract;
};

/** Name of the list in the folder. */
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

/** A name that needs no escaping in an address. */
const fileStem = (path: string): string =>
  path
    .replace(/^.*[\\/]/, '')
    .replace(/\.onnx$/i, '')
    .replaceAll(/[^\w.-]+/g, '-');
