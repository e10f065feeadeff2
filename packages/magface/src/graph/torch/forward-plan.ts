/**
 * Translates a recogniser's ONNX graph to the steps of @magface/torch's ForwardGraph. BatchNorm is folded into the
 * layer before it, clamps and sums are fused into convolutions, and the remaining per-channel arithmetic becomes affine
 * steps.
 */
import type { ForwardStep } from '@magface/torch';
import { ModelError } from '../../errors.ts';
import { embeddingOf, floatOf, type GraphIndex, indexGraph, intOf, intsOf, neededNodes } from '../nodes.ts';
import { parseOnnx } from '../onnx/file.ts';
import type { NodeProto } from '../onnx/onnx_pb.ts';
import { floatsOf, type OnnxTensor } from '../onnx/tensor.ts';
import { affineOf } from '../passes/fold-batch-norm.ts';
import { simplify } from '../passes/simplify.ts';
import { fuseForward, type OpenStep } from './fuse-forward.ts';
import { lastReads } from './reads.ts';

/** How a length branch makes a length of what its maps tell and of the length that the embedding had. */
export interface LengthRule {
  /** Weight of the embedding's own length. */
  readonly own: number;
  /** Shortest and longest length. */
  readonly limits: readonly [low: number, high: number];
}

export interface ForwardPlan {
  readonly steps: readonly ForwardStep[];
  readonly input: string;
  readonly output: string;
  /** Whether the model expects (N, H, W, 3). */
  readonly channelsLast: boolean;
  /**
   * For a model with a length branch. Its plan ends in (N, D + 1): the embedding before the branch, and what the maps tell of the
   * length; the caller puts them together.
   */
  readonly lengths?: LengthRule | undefined;
}

const unbounded = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] as const;

/**
 * @param bytes - an ONNX file with a dynamic batch size
 * @param name - for error messages
 * @throws {ModelError} `engine_unfit`, naming the unsupported operators
 */
export function forwardPlan(bytes: Uint8Array, name: string): ForwardPlan {
  const model = parseOnnx(bytes, name);
  simplify(model, name);
  const graph = model.graph!;
  const output = embeddingOf(graph);
  const index = indexGraph(graph, name);
  const translation = new Translation(index);
  const branch = lengthBranchOf(output, index);
  const wanted = branch === undefined ? [output] : [branch.embedding, ...branch.taps.map(({ value }) => value)];
  const needed = new Set(wanted.flatMap((value) => neededNodes(graph.node, value)));
  for (const node of graph.node) if (needed.has(node)) translation.take(node);
  if (translation.unsupported.size > 0) {
    throw new ModelError('engine_unfit', name, {
      expected: `${name} to use only operators that the torch engine supports`,
      problem: `it also uses ${[...translation.unsupported].sort().join(', ')}`,
      remedy: 'use --engine onnx',
    });
  }
  const { input, channelsLast } = translation;
  const made = branch === undefined ? translation.nameOf(output) : translation.joined(branch);
  const steps = withFrees(fuseForward(translation.steps, made), made);
  return { steps, input, output: made, channelsLast, lengths: branch?.rule };
}

/** A feature map of a length branch, with the weight of each channel and a bias. */
interface Tap {
  readonly value: string;
  readonly weight: Float32Array;
  readonly bias: number;
}

/** What a length branch puts together (`passes/length-branch.ts`). */
interface Branch {
  readonly embedding: string;
  readonly taps: readonly Tap[];
  readonly rule: LengthRule;
}

/** @returns undefined if the model has no branch */
function lengthBranchOf(output: string, index: GraphIndex): Branch | undefined {
  const { producer, constant } = index;
  const made = (value: string | undefined, opType: string): NodeProto | undefined => {
    const node = producer.get(value ?? '');
    return node?.opType === opType ? node : undefined;
  };
  const product = made(output, 'Mul');
  const quotient = made(product?.input[0], 'Div');
  const norm = made(quotient?.input[1], 'ReduceL2');
  const limited = made(product?.input[1], 'Clip');
  const sum = made(limited?.input[0], 'Add');
  const ownLength = made(sum?.input[0], 'Mul');
  const own = constant(ownLength?.input[1] ?? '');
  if (quotient === undefined || sum === undefined || own === undefined) return undefined;
  if (norm === undefined || norm.input[0] !== quotient.input[0] || ownLength?.input[0] !== norm.output[0])
    return undefined;
  const rule = { own: floatsOf(own)[0]!, limits: limitsOf(limited!.input.map(constant)) };
  const taps = tapsOf(sum.input[1]!, index);
  return taps && { embedding: quotient.input[0]!, taps, rule };
}

/** @param sum - of convolutions of means of feature maps @returns the taps; undefined if it is anything else */
function tapsOf(sum: string, index: GraphIndex): Tap[] | undefined {
  const node = index.producer.get(sum);
  const [first = '', second = '', third] = node?.input ?? [];
  if (node?.opType === 'Flatten') return tapsOf(first, index);
  if (node?.opType === 'Add') {
    const [left, right] = [tapsOf(first, index), tapsOf(second, index)];
    return left && right && [...left, ...right];
  }
  const mean = node?.opType === 'Conv' ? index.producer.get(first) : undefined;
  const weight = index.constant(second);
  if (mean?.opType !== 'GlobalAveragePool' || weight === undefined || weight.dims[0] !== 1) return undefined;
  const bias = third === undefined ? undefined : index.constant(third);
  return [{ value: mean.input[0]!, weight: floatsOf(weight), bias: bias === undefined ? 0 : floatsOf(bias)[0]! }];
}

/** Translates the nodes in order, in one pass. */
class Translation {
  readonly steps: OpenStep[] = [];
  /** Operators without a step. */
  readonly unsupported = new Set<string>();
  readonly input: string;
  channelsLast = false;
  readonly #index: GraphIndex;
  /** Values that are only new names of other values. */
  readonly #aliases = new Map<string, string>();
  /** Names of flattened values, (N, features). */
  readonly #flattened = new Set<string>();
  /** Number of channels of each value, if known. */
  readonly #channels = new Map<string, number>();

  constructor(index: GraphIndex) {
    this.#index = index;
    this.input = index.inputs[0] ?? '';
    this.#channels.set(this.input, 3);
  }

  /** Adds steps that put the embedding, (N, D), and what the taps tell, (N, 1), side by side. @returns the name of their result */
  joined({ embedding, taps }: Branch): string {
    let sum: string[] = [];
    for (const [i, { value, weight, bias }] of taps.entries()) {
      const writes = `joined.length${i}`;
      this.steps.push({ kind: 'projection', reads: [this.nameOf(value), ...sum], writes, weight, bias });
      sum = [writes];
    }
    this.steps.push({ kind: 'join', reads: [this.nameOf(embedding), ...sum], writes: 'joined' });
    return 'joined';
  }

  nameOf(value: string): string {
    return this.#aliases.get(value) ?? value;
  }

  take(node: NodeProto): void {
    const constants = node.input.map((name) => this.#index.constant(name));
    const step = node.domain === '' || node.domain === 'ai.onnx' ? this.#step(node, constants) : undefined;
    if (step === undefined) this.unsupported.add(node.opType);
    else if (step !== 'alias') this.steps.push(step);
  }

  #step(node: NodeProto, constants: readonly (OnnxTensor | undefined)[]): OpenStep | 'alias' | undefined {
    const [x = '', y = ''] = node.input.map((name) => this.nameOf(name));
    const writes = node.output[0]!;
    switch (node.opType) {
      case 'Conv':
        return this.#convolution(node, constants);
      case 'Gemm':
      case 'MatMul':
        return this.#linear(node, constants);
      case 'Relu':
        return this.#sameChannels(x, { kind: 'clamp', reads: [x], writes, limits: [0, Number.POSITIVE_INFINITY] });
      case 'Clip':
        return this.#sameChannels(x, { kind: 'clamp', reads: [x], writes, limits: limitsOf(constants) });
      case 'PRelu':
      case 'BatchNormalization':
        return this.#affine(writes, x, lineOf(node, this.#index));
      case 'Add':
      case 'Mul':
      case 'Sub':
      case 'Div':
        if (constants[0] === undefined && constants[1] === undefined)
          return node.opType === 'Add' ? this.#sameChannels(x, { kind: 'add', reads: [x, y], writes }) : undefined;
        return this.#affine(writes, constants[0] === undefined ? x : y, lineOf(node, this.#index));
      case 'GlobalAveragePool':
        return this.#sameChannels(x, { kind: 'average', reads: [x], writes });
      case 'Flatten':
      case 'Reshape': {
        const rank = node.opType === 'Reshape' ? constants[1]?.data.length : intOf(node, 'axis', 1) + 1;
        if (rank !== 2) return undefined;
        this.#flattened.add(writes);
        return this.#alias(writes, x);
      }
      case 'Identity':
      case 'Dropout':
        return this.#alias(writes, x);
      case 'Transpose':
        if (x !== this.input || intsOf(node, 'perm')?.join() !== '0,3,1,2') return undefined;
        this.channelsLast = true;
        return this.#alias(writes, x);
      default:
        return undefined;
    }
  }

  #convolution(node: NodeProto, [, weight, bias]: readonly (OnnxTensor | undefined)[]): OpenStep | undefined {
    if (weight === undefined || weight.dims.length !== 4) return undefined;
    const automatic = node.attribute.find(({ name }) => name === 'auto_pad')?.s;
    if (automatic !== undefined && !['NOTSET', 'VALID'].includes(new TextDecoder().decode(automatic))) return undefined;
    const outputs = weight.dims[0]!;
    this.#channels.set(node.output[0]!, outputs);
    return {
      kind: 'convolution',
      reads: [this.nameOf(node.input[0]!)],
      writes: node.output[0]!,
      weight: floatsOf(weight),
      shape: weight.dims,
      bias: bias === undefined ? new Float32Array(outputs) : floatsOf(bias),
      strides: intsOf(node, 'strides') ?? [1, 1],
      dilations: intsOf(node, 'dilations') ?? [1, 1],
      pads: intsOf(node, 'pads') ?? [0, 0, 0, 0],
      groups: intOf(node, 'group', 1),
      limits: unbounded,
    };
  }

  #linear(node: NodeProto, [, weight, bias]: readonly (OnnxTensor | undefined)[]): OpenStep | undefined {
    const plain = floatOf(node, 'alpha', 1) === 1 && floatOf(node, 'beta', 1) === 1 && intOf(node, 'transA', 0) === 0;
    if (weight === undefined || weight.dims.length !== 2 || !plain) return undefined;
    const rows = intOf(node, 'transB', 0) === 1;
    const [outputs, inputs] = (rows ? weight.dims : weight.dims.toReversed()) as [number, number];
    const values = floatsOf(weight);
    const at = (o: number, i: number): number => values[rows ? o * inputs + i : i * outputs + o]!;
    const x = this.nameOf(node.input[0]!);
    // The model flattens (C, H, W), but memory is ordered (H, W, C).
    const channels = this.#flattened.has(node.input[0]!) ? this.#channels.get(x) : inputs;
    if (channels === undefined || inputs % channels !== 0) return undefined;
    const area = inputs / channels;
    const ordered = new Float32Array(outputs * inputs);
    for (let o = 0, to = 0; o < outputs; o++)
      for (let p = 0; p < area; p++) for (let c = 0; c < channels; c++) ordered[to++] = at(o, c * area + p);
    this.#channels.set(node.output[0]!, outputs);
    const shift = bias === undefined ? new Float32Array(outputs) : floatsOf(bias);
    return {
      kind: 'linear',
      reads: [x],
      writes: node.output[0]!,
      weight: ordered,
      shape: [outputs, inputs],
      bias: shift,
    };
  }

  #affine(writes: string, x: string, line: Line | undefined): OpenStep | undefined {
    const channels = this.#channels.get(x);
    if (line === undefined || channels === undefined) return undefined;
    const spread = (values: Float32Array | undefined, standard: number): Float32Array | undefined => {
      if (values === undefined || values.length === 1) return new Float32Array(channels).fill(values?.[0] ?? standard);
      return values.length === channels ? values : undefined;
    };
    const [scale, offset, slope] = [spread(line.scale, 1), spread(line.offset, 0), line.slope && spread(line.slope, 1)];
    if (scale === undefined || offset === undefined || (line.slope !== undefined && slope === undefined))
      return undefined;
    return this.#sameChannels(x, { kind: 'affine', reads: [x], writes, scale, offset, slope });
  }

  /** Records that the step's result has as many channels as x. */
  #sameChannels(x: string, step: OpenStep): OpenStep {
    const channels = this.#channels.get(x);
    if (channels !== undefined) this.#channels.set(step.writes, channels);
    return step;
  }

  #alias(writes: string, x: string): 'alias' {
    this.#aliases.set(writes, x);
    return 'alias';
  }
}

/** PReLU(x · scale + offset), by channel or for all of them. */
interface Line {
  readonly scale?: Float32Array;
  readonly offset?: Float32Array;
  readonly slope?: Float32Array;
}

/** Expresses an operator with constants as a line; undefined if that is impossible. */
function lineOf(node: NodeProto, index: GraphIndex): Line | undefined {
  if (node.opType === 'BatchNormalization') {
    const affine = affineOf(node, index);
    return affine && { scale: Float32Array.from(affine.scale), offset: Float32Array.from(affine.shift) };
  }
  const [first, second] = node.input.map(index.constant).map((constant) => constant && floatsOf(constant));
  const constant = second ?? first;
  if (constant === undefined) return undefined;
  switch (node.opType) {
    case 'PRelu':
      return { slope: constant };
    case 'Mul':
      return { scale: constant };
    case 'Add':
      return { offset: constant };
    case 'Sub':
      if (second === undefined) return { scale: Float32Array.of(-1), offset: constant };
      return { offset: constant.map((value) => -value) };
    default:
      return second && { scale: second.map((value) => 1 / value) };
  }
}

const limitsOf = ([, low, high]: readonly (OnnxTensor | undefined)[]): readonly [number, number] => [
  low === undefined ? unbounded[0] : floatsOf(low)[0]!,
  high === undefined ? unbounded[1] : floatsOf(high)[0]!,
];

/** Adds to each step the values that can go after it. */
function withFrees(steps: readonly OpenStep[], output: string): ForwardStep[] {
  const frees = lastReads(steps);
  return steps.map((step, i) => ({ ...step, frees: frees[i]!.filter((name) => name !== output) }) as ForwardStep);
}
