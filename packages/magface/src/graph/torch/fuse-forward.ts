/** Fuses steps of a forward graph: affine steps, clamps and sums that are the only readers of the value before them. */
import type { ForwardStep } from '@magface/torch';
import { countReaders } from './reads.ts';

/** A step without `frees`, which needs the whole graph. */
export type OpenStep = ForwardStep extends infer Step ? (Step extends unknown ? Omit<Step, 'frees'> : never) : never;

/** @param output - the value that must remain @returns fewer steps with the same result */
export function fuseForward(steps: readonly OpenStep[], output: string): OpenStep[] {
  return [fuseAffines, fuseSums, fuseSlopes, fusePrologues, fuseClamps].reduce(
    (made, fuse) => fuse(made, output),
    [...steps],
  );
}

/** Merges two consecutive affine steps if the first has no PReLU. */
function fuseAffines(steps: readonly OpenStep[], output: string): OpenStep[] {
  return merged(steps, output, (first, second) => {
    if (first.kind !== 'affine' || second.kind !== 'affine' || first.slope !== undefined) return undefined;
    const scale = second.scale.map((value, c) => value * first.scale[c]!);
    const offset = second.offset.map((value, c) => value + second.scale[c]! * first.offset[c]!);
    return { ...second, scale, offset };
  });
}

/** Fuses a sum into the convolution that computes one operand. The fused step runs where the sum was. */
function fuseSums(steps: readonly OpenStep[], output: string): OpenStep[] {
  const made = new Map(steps.map((step, i) => [step.writes, i] as const));
  const readers = countReaders(steps);
  const taken = new Set<OpenStep>();
  const fused = steps.map((step, i) => {
    if (step.kind !== 'add') return step;
    const own = step.reads
      .map((name) => made.get(name) ?? -1)
      .filter((at) => at >= 0 && steps[at]!.kind === 'convolution')
      .filter((at) => readers.get(steps[at]!.writes) === 1 && steps[at]!.writes !== output)
      .sort((a, b) => b - a)
      .find((at) => at < i && !taken.has(steps[at]!));
    if (own === undefined) return step;
    const layer = steps[own]! as Extract<OpenStep, { kind: 'convolution' }>;
    const other = step.reads.find((name) => name !== layer.writes);
    if (other === undefined) return step;
    taken.add(layer);
    return { ...layer, reads: [layer.reads[0]!, other], writes: step.writes };
  });
  return fused.filter((step) => !taken.has(step));
}

/** Fuses a PReLU into the convolution before it. */
function fuseSlopes(steps: readonly OpenStep[], output: string): OpenStep[] {
  return merged(steps, output, (first, second) => {
    const isAlone =
      second.kind === 'affine' &&
      second.reads.length === 1 &&
      second.scale.every((value) => value === 1) &&
      second.offset.every((value) => value === 0);
    return isAlone && first.kind === 'convolution' && isUnbounded(first)
      ? { ...first, writes: second.writes, slope: second.slope }
      : undefined;
  });
}

/** Makes an affine step without PReLU a convolution's prologue. Folding it into the weights would change the padding. */
function fusePrologues(steps: readonly OpenStep[], output: string): OpenStep[] {
  return merged(steps, output, (first, second) => {
    const isPrologue = first.kind === 'affine' && first.slope === undefined && first.reads.length === 1;
    if (!isPrologue || second.kind !== 'convolution') return undefined;
    return { ...second, prologue: { scale: first.scale, offset: first.offset } };
  });
}

/** Fuses a clamp into the convolution before it. */
function fuseClamps(steps: readonly OpenStep[], output: string): OpenStep[] {
  return merged(steps, output, (first, second) =>
    first.kind === 'convolution' && second.kind === 'clamp' && isUnbounded(first)
      ? { ...first, writes: second.writes, limits: second.limits }
      : undefined,
  );
}

const isUnbounded = ({ limits, slope }: Extract<OpenStep, { kind: 'convolution' }>): boolean =>
  slope === undefined && !limits.some(Number.isFinite);

/** Merges a step with the one before it, if it is the only reader of that value and `join` can merge the two. */
function merged(
  steps: readonly OpenStep[],
  output: string,
  join: (first: OpenStep, second: OpenStep) => OpenStep | undefined,
): OpenStep[] {
  const readers = countReaders(steps);
  const result: (OpenStep | undefined)[] = [];
  const made = new Map<string, number>();
  for (const step of steps) {
    const [only = '', ...others] = step.reads;
    const at = readers.get(only) === 1 && only !== output ? made.get(only) : undefined;
    const first = at === undefined ? undefined : result[at];
    const one = first && join(first, step);
    if (one !== undefined) result[at!] = undefined;
    const joined = first && one ? { ...one, reads: [...first.reads, ...others] } : step;
    made.set(step.writes, result.push(joined) - 1);
  }
  return result.filter((step) => step !== undefined);
}
