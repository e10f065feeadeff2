/** Finds all tensors in nested dicts and lists, by path. */
import type { ByteSource } from './byte-source.ts';
import { TorchTensor } from './torch-tensor.ts';

const [mostDepth, mostValues] = [64, 1_000_000];

/** @throws {FormatError} if the data contain themselves, or are nested or shared more than any real checkpoint */
export function flattenTensors(source: ByteSource, value: unknown): Map<string, TorchTensor> {
  const tensors = new Map<string, TorchTensor>();
  let seen = 0;
  const visit = (one: unknown, path: readonly string[]): void => {
    if (path.length > mostDepth)
      throw source.error(`Expected data nested at most ${mostDepth} deep: do they hold themselves?`, 0);
    if (++seen > mostValues) throw source.error(`Expected at most ${mostValues} values in a checkpoint.`, 0);
    if (one instanceof TorchTensor) tensors.set(path.join('.'), one);
    else if (one instanceof Map) for (const [key, item] of one) visit(item, [...path, keyText(key)]);
    else if (Array.isArray(one)) for (const [i, item] of one.entries()) visit(item, [...path, String(i)]);
  };
  visit(value, []);
  return tensors;
}

const keyText = (key: unknown): string =>
  typeof key === 'string' || typeof key === 'number' || typeof key === 'bigint' ? String(key).slice(0, 1000) : '?';
