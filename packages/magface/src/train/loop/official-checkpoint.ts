/** Resumes a run of the official trainers: converts `00012.pth`, with its optimizer, to our checkpoint. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { FormatError } from '../../errors.ts';
import { expectOfficialNames, officialNames } from '../../format/official-names.ts';
import { readSgdState } from '../../format/official-optimizer.ts';
import { countOf, float32Tensor, type Tensor, toFloat32 } from '../../format/tensor.ts';
import { openTorch, type TorchFile } from '../../format/torch-file.ts';
import { openArchitecture } from '../../graph/networks/architectures.ts';
import { batchCounters } from '../../graph/networks/builder.ts';
import type { CheckpointContent } from './checkpoint-file.ts';

/** @returns the official trainers' checkpoints in a folder, newest first */
export function listOfficialCheckpoints(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => /^\d{5,}\.pth$/.test(name))
    .sort()
    .reverse()
    .map((name) => join(folder, name));
}

/** The official run to resume. */
export interface OfficialRun {
  /** Tensors under our names; the state has no position yet. */
  readonly content: CheckpointContent;
  /** Completed epochs. */
  readonly epoch: number;
  /** Parameters without a velocity, which start at zero: all before the first step, the distributed trainer's centers. */
  readonly atRest: number;
}

/**
 * @param wanted - description of the resumed run
 * @throws {FormatError} if the file is of another arch or has other classes
 */
export async function readOfficialRun(
  file: string,
  wanted: { readonly arch: string; readonly embeddingSize: number; readonly classes: number },
): Promise<OfficialRun> {
  const opened = await openTorch(file);
  try {
    const { arch, embeddingSize: embeddingLength, classes } = wanted;
    const network = await openArchitecture(arch, embeddingLength);
    const specs = network.tensors;
    const shapes = new Map(specs.map(({ name, shape }) => [name, shape]));
    const { names, head } = expectOfficialNames(file, officialNames(opened.tensors, shapes));
    if (head?.classes !== classes) {
      const found = head === undefined ? 'has none' : `has ${head.classes}`;
      throw new FormatError(file, {
        expected: `the centers of ${classes} classes`,
        problem: `it ${found}`,
        remedy: 'use --init to start from its backbone',
      });
    }
    const tensors = new Map<string, Tensor>();
    for (const [name, stored] of names) tensors.set(`features.${name}`, await opened.read(stored));
    await addBatchCount(opened, tensors, { names, counter: batchCounters(network)[0] ?? '' });
    tensors.set('fc.weight', turnedBy(head.layout, await opened.read(head.name)));
    const learned = specs.filter(({ trainable }) => trainable).map(({ name }) => `features.${name}`);
    const atRest = await addVelocities(opened, tensors, { parameters: [...learned, 'fc.weight'], layout: head.layout });
    return {
      content: { tensors, state: { arch: network.name, embeddingLength, classes } },
      epoch: epochOf(opened, file),
      atRest,
    };
  } finally {
    await opened.close();
  }
}

function epochOf({ value }: TorchFile, file: string): number {
  const epoch: unknown = value instanceof Map ? value.get('epoch') : undefined;
  if (typeof epoch === 'number' && Number.isSafeInteger(epoch) && epoch >= 0) return epoch;
  throw new FormatError(file, {
    expected: 'the number of finished epochs under "epoch"',
    problem: 'it is missing',
    remedy: 'use --init to start from its backbone',
  });
}

/** The number of batches in the running statistics; one count stands for all. */
async function addBatchCount(
  opened: TorchFile,
  tensors: Map<string, Tensor>,
  { names, counter }: { readonly names: ReadonlyMap<string, string>; readonly counter: string },
): Promise<void> {
  const counted = names
    .get(counter.replace(/num_batches_tracked$/, 'weight'))
    ?.replace(/weight$/, 'num_batches_tracked');
  if (counted !== undefined && opened.tensors.has(counted))
    tensors.set(`features.${counter}`, await opened.read(counted));
}

type Layout = 'DK' | 'KD';

/** (D, K), regardless of the stored layout. */
function turnedBy(layout: Layout, tensor: Tensor): Tensor {
  if (layout === 'DK' || tensor.shape.length !== 2) return tensor;
  const [rows = 0, columns = 0] = tensor.shape;
  const [values, turned] = [toFloat32(tensor), new Float32Array(rows * columns)];
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) turned[column * rows + row] = values[row * columns + column]!;
  }
  return float32Tensor([columns, rows], turned);
}

/** @returns how many parameters have none in the file */
async function addVelocities(
  opened: TorchFile,
  tensors: Map<string, Tensor>,
  { parameters, layout }: { readonly parameters: readonly string[]; readonly layout: Layout },
): Promise<number> {
  const saved = opened.value instanceof Map ? readSgdState(opened.value.get('optimizer')) : undefined;
  const paths = saved?.velocities.length === parameters.length ? saved.velocities : [];
  let atRest = 0;
  for (const [i, name] of parameters.entries()) {
    const { shape } = tensors.get(name)!;
    const path = paths[i];
    const stored = path === undefined ? undefined : await opened.read(path);
    const velocity = stored && name === 'fc.weight' ? turnedBy(layout, stored) : stored;
    const fits = velocity?.shape.join() === shape.join();
    if (!fits) atRest++;
    tensors.set(
      `optimizer.${name}`,
      velocity !== undefined && fits ? velocity : float32Tensor(shape, new Float32Array(countOf(shape))),
    );
  }
  return atRest;
}
