/**
 * The names under which trainers have stored a backbone and its class centers, mapped to the backbone's bare names
 * (`conv1.weight`, `layer1.0.bn1.weight`, …):
 *
 *     single process    module.features.NAME    module.fc.weight    (D, K)
 *     distributed       features.module.NAME    parallel_fc.weight  (K, D)
 *     inference, ours   features.NAME           fc.weight           (D, K)
 *     bare              NAME                    none: fc.weight is the backbone's own
 *
 * @see the official run/trainer.py, run/trainer_dist.py and inference/network_inf.py
 */
import { FormatError } from '../errors.ts';
import { byForeignNames, foreignNames } from './foreign-names.ts';
import type { TensorInfo } from './tensor.ts';

/** The names of a backbone in a file. */
export interface OfficialNames {
  /** Bare name to the file's. */
  readonly names: ReadonlyMap<string, string>;
  /** Bare names that the backbone has and the file lacks. */
  readonly missing: readonly string[];
  /** The file's names with the same prefix that the backbone lacks. */
  readonly surplus: readonly string[];
  /** Tensors with a different shape than the backbone's. */
  readonly otherShape: readonly { readonly name: string; readonly expected: string; readonly found: string }[];
  /** The class centers, if the file has them. */
  readonly head?: { readonly name: string; readonly layout: 'DK' | 'KD'; readonly classes: number };
}

const wrappers = ['state_dict.', 'model.', 'model_state_dict.', 'net.', 'backbone.', ''] as const;
const prefixes = ['module.features.', 'features.module.', 'features.', 'module.backbone.', 'module.', 'backbone.', ''];
const heads = [
  { name: 'parallel_fc.weight', layout: 'KD' },
  { name: 'module.fc.weight', layout: 'DK' },
  { name: 'fc.weight', layout: 'DK' },
] as const;

/**
 * @param tensors - tensors of a file by name
 * @param backbone - shapes by bare name
 */
export function officialNames(
  tensors: ReadonlyMap<string, TensorInfo>,
  backbone: ReadonlyMap<string, readonly number[]>,
): OfficialNames {
  const layout = bestLayout(tensors, backbone);
  const names = new Map<string, string>();
  const missing: string[] = [];
  const otherShape: { name: string; expected: string; found: string }[] = [];
  for (const [name, shape] of backbone) {
    const stored = layout.stored(name);
    const found = tensors.get(stored)?.shape;
    if (found === undefined) missing.push(name);
    else if (found.join() !== shape.join())
      otherShape.push({ name, expected: brackets(shape), found: brackets(found) });
    else names.set(name, stored);
  }
  const full = layout.wrapper + layout.prefix;
  const used = new Set([...backbone.keys()].map(layout.stored));
  const surplus = [...tensors.keys()].filter((name) => name.startsWith(full) && !used.has(name));
  const head = layout.prefix === '' ? undefined : headOf(tensors, layout.wrapper);
  const apart = surplus.filter(
    (name) => name !== head?.name && (full !== '' || !/^(optimizer|epoch|arch)\b/.test(name)),
  );
  return { names, missing, surplus: apart, otherShape, ...(head === undefined ? {} : { head }) };
}

/** One way in which a file may name a backbone. */
interface Layout {
  readonly wrapper: string;
  readonly prefix: string;
  /** Bare name to the file's. */
  readonly stored: (name: string) => string;
}

/** The layout that finds most of the backbone; the first of equals. */
function bestLayout(
  tensors: ReadonlyMap<string, TensorInfo>,
  backbone: ReadonlyMap<string, readonly number[]>,
): Layout {
  const official = wrappers.flatMap((wrapper) =>
    prefixes.map((prefix): Layout => ({ wrapper, prefix, stored: (name) => wrapper + prefix + name })),
  );
  const foreign = foreignNames.map((one): Layout => {
    const theirs = byForeignNames(one, tensors.keys());
    return { wrapper: '', prefix: '', stored: (name) => theirs.get(name) ?? name };
  });
  let [best, most] = [official.at(-1)!, 0];
  for (const layout of [...official, ...foreign]) {
    let found = 0;
    for (const name of backbone.keys()) if (tensors.has(layout.stored(name))) found++;
    if (found > most) [best, most] = [layout, found];
  }
  return best;
}

const brackets = (shape: readonly number[]): string => `(${shape.join(', ')})`;

function headOf(tensors: ReadonlyMap<string, TensorInfo>, wrapper: string): OfficialNames['head'] {
  for (const { name, layout } of heads) {
    const shape = tensors.get(wrapper + name)?.shape;
    if (shape?.length === 2) return { name: wrapper + name, layout, classes: shape[layout === 'DK' ? 1 : 0]! };
  }
  return undefined;
}

/**
 * @returns the same names
 * @throws {FormatError} listing all missing tensors and wrong shapes
 */
export function expectOfficialNames(file: string, found: OfficialNames): OfficialNames {
  const { names, missing, otherShape } = found;
  if (missing.length === 0 && otherShape.length === 0) return found;
  const all = names.size + missing.length + otherShape.length;
  const shapes = otherShape.map((one) => `${one.name} is ${one.found} instead of ${one.expected}`);
  const problems = [...shapes, ...missing.map((name) => `${name} is missing`)];
  const shown = problems.slice(0, 5).join('; ') + (problems.length > 5 ? `; and ${problems.length - 5} more` : '');
  throw new FormatError(file, {
    expected: `${all} tensors of the backbone`,
    problem: `only ${names.size} fit (${shown})`,
    remedy: 'try another --arch',
  });
}

/** A checkpoint of the official trainers. */
export interface OfficialCheckpoint<T> {
  readonly epoch: number;
  readonly arch: string;
  /** By bare name. */
  readonly backbone: ReadonlyMap<string, T>;
  /** (D, K), as the single-process trainer has it. @default none is written */
  readonly centers?: T | undefined;
}

/** @returns `{epoch, arch, state_dict}` in the single-process layout, which official inference loads */
export function officialCheckpoint<T>({ epoch, arch, backbone, centers }: OfficialCheckpoint<T>): {
  epoch: number;
  arch: string;
  state_dict: Map<string, T>;
} {
  const named = new Map([...backbone].map(([name, tensor]) => [`module.features.${name}`, tensor]));
  if (centers !== undefined) named.set('module.fc.weight', centers);
  return { epoch, arch, state_dict: named };
}
