/**
 * Reads external weights, which large ONNX exports keep in files beside the model. It reads only the ranges that tensors
 * name, and only files in the model's folder, so that an untrusted model cannot read other files.
 */
import { realpath } from 'node:fs/promises';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { FormatError } from '../../errors.ts';
import { type ByteSource, openBytes } from '../../format/byte-source.ts';
import type { GraphProto, ModelProto, TensorProto } from './onnx_pb.ts';
import { exportAgain } from './tensor.ts';

const elsewhere = 1; // TensorProto.DataLocation.EXTERNAL

/** @returns every tensor of a graph and its subgraphs: initializers and node attributes */
export function* tensorsIn(graph: GraphProto): Generator<TensorProto> {
  yield* graph.initializer;
  for (const { attribute } of graph.node) {
    for (const { t, tensors, g, graphs } of attribute) {
      if (t !== undefined) yield t;
      yield* tensors;
      for (const inner of g === undefined ? graphs : [g, ...graphs]) yield* tensorsIn(inner);
    }
  }
}

/** Whether some weights are external. */
export function hasExternalData({ graph }: ModelProto): boolean {
  for (const tensor of graph === undefined ? [] : tensorsIn(graph)) if (tensor.dataLocation === elsewhere) return true;
  return false;
}

/**
 * Reads external data into the model, in place.
 *
 * @param file - the model's path
 * @throws {FormatError} if a file is outside the model's folder, missing or too short
 */
export async function readExternalData({ graph }: ModelProto, file: string): Promise<void> {
  const opened = new Map<string, ByteSource>();
  try {
    for (const tensor of tensorsIn(graph!)) {
      if (tensor.dataLocation !== elsewhere) continue;
      const { location, offset, length } = placeOf(tensor, file);
      let source = opened.get(location);
      if (source === undefined) {
        source = await openBytes(await pathInside(location, { file, tensor: tensor.name }));
        opened.set(location, source);
      }
      tensor.rawData = await source.read(offset, length ?? source.size - offset);
      tensor.dataLocation = 0;
      tensor.externalData = [];
    }
  } finally {
    for (const source of opened.values()) await source.close();
  }
}

interface Place {
  readonly location: string;
  readonly offset: number;
  /** @default to the end of the file */
  readonly length: number | undefined;
}

function placeOf({ name, externalData }: TensorProto, file: string): Place {
  const fields = new Map(externalData.map(({ key, value }) => [key, value]));
  const whole = (key: string): number | undefined => {
    const text = fields.get(key);
    if (text === undefined) return undefined;
    if (/^\d{1,15}$/.test(text)) return Number(text);
    throw new FormatError(
      file,
      { expected: `a whole number for ${key} of the tensor "${name}"`, received: `"${text}"`, remedy: exportAgain },
      { part: name },
    );
  };
  return { location: fields.get('location') ?? '', offset: whole('offset') ?? 0, length: whole('length') };
}

/** @throws {FormatError} if the path, with links resolved, is not below the model's folder */
async function pathInside(
  location: string,
  { file, tensor }: { readonly file: string; readonly tensor: string },
): Promise<string> {
  const refused = (why: string, remedy: string): FormatError =>
    new FormatError(
      file,
      {
        expected: `the tensor "${tensor}" in a file of the model's folder`,
        problem: `its place is "${location}", ${why}`,
        remedy,
      },
      { part: tensor },
    );
  const parts = location.split(/[/\\]/);
  if (location === '' || isAbsolute(location) || /^[a-z]:/i.test(location) || parts.includes('..')) {
    throw refused('outside that folder', exportAgain);
  }
  const folder = await realpath(dirname(file));
  const found = await realpath(join(folder, ...parts)).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw refused(`which cannot be read (${cause.code})`, 'check its permissions');
    throw refused('which is missing', 'keep the two files together');
  });
  const way = relative(folder, found);
  if (way.split(/[/\\]/)[0] === '..' || isAbsolute(way)) throw refused('a link out of that folder', exportAgain);
  return found;
}
