/** Finds the operator of libtorch for each node, and says at once which have none. */
import { ModelError } from '../../errors.ts';
import type { NodeProto, TensorProto } from '../onnx/onnx_pb.ts';
import { floatsOf, integersOf, isFloat, tensorOf } from '../onnx/tensor.ts';
import { operators, type StoredContext } from './operators.ts';
import type { TranslatedNode } from './steps.ts';

export interface TranslationOptions {
  /** For messages. */
  readonly name: string;
  readonly opset: number;
  /** @returns the numbers of a stored tensor; undefined for a computed value */
  readonly numbers: (name: string) => readonly number[] | undefined;
}

/** @returns the numbers of stored tensors by name */
export function numbersOf(stored: readonly TensorProto[], file: string): TranslationOptions['numbers'] {
  const byName = new Map(stored.map((proto) => [proto.name, proto]));
  return (name) => {
    const proto = byName.get(name);
    if (proto === undefined) return undefined;
    const tensor = tensorOf(proto, file);
    return isFloat(tensor) ? [...floatsOf(tensor)] : integersOf(tensor);
  };
}

/** @throws {ModelError} `model_untrainable` naming every operator that has no translation */
export function translated(
  nodes: readonly NodeProto[],
  { name, opset, numbers }: TranslationOptions,
): TranslatedNode[] {
  const lacking = new Set<string>();
  const found = nodes.map((node): TranslatedNode => {
    const known = new Map<number, readonly number[] | undefined>();
    const context: StoredContext = {
      node,
      opset,
      numbers: (input) => {
        if (!known.has(input)) known.set(input, numbers(node.input[input] ?? ''));
        return known.get(input);
      },
    };
    const operator = node.domain === '' || node.domain === 'ai.onnx' ? operators[node.opType] : undefined;
    if (operator === undefined) lacking.add(node.domain === '' ? node.opType : `${node.domain}.${node.opType}`);
    const lacks = operator?.lacks?.(context);
    if (lacks !== undefined) lacking.add(`${node.opType} with ${lacks}`);
    return { node, operator: operator!, context };
  });
  if (lacking.size === 0) return found;
  throw new ModelError('model_untrainable', name, {
    expected: `operators that can be trained in ${name}`,
    problem: `it has ${[...lacking].sort().join(', ')}`,
    remedy: 'export it for evaluation with constants folded, or train one of the architectures of --arch',
  });
}
