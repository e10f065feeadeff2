/**
 * Translates ONNX's usual operators to libtorch's, so that autograd can run through an inference graph. Each entry takes
 * its node's inputs, undefined where an optional one is omitted, and returns the node's first output.
 */
import {
  cat,
  convolution,
  type Generator,
  invoke,
  matmul,
  operator,
  type ProcessGroup,
  type Tensor,
  zeros,
} from '@magface/torch';
import { floatOf, intOf, intsOf, textOf } from '../nodes.ts';
import type { NodeProto } from '../onnx/onnx_pb.ts';
import { batchNorm } from './batch-norm.ts';

/** A node's data in the file. */
export interface StoredContext {
  readonly node: NodeProto;
  readonly opset: number;
  /** Numbers of an input that is stored in the file; undefined if it is omitted or computed. */
  readonly numbers: (input: number) => readonly number[] | undefined;
}

/** How a forward pass behaves. */
export interface Pass {
  /** Whether BatchNorms that learn use the batch's statistics, and dropout drops. @default false */
  readonly training?: boolean;
  /** The ranks that then share BatchNorm's statistics. @default this process alone */
  readonly group?: ProcessGroup | undefined;
  /** Share of channels that dropout zeroes. @default 0.4 */
  readonly dropout?: number;
  /** Random numbers for dropout. @default none is dropped, as in finetuning */
  readonly generator?: Generator;
  /** Position of these rows in the batch, so that dropout draws for the whole and ranks agree. @default all of it */
  readonly share?: { readonly first: number; readonly count: number; readonly total: number };
  /** Whether BatchNorm runs by fused kernels; results differ only by rounding. */
  readonly isFused: boolean;
}

/** A node with its pass. */
export interface NodeContext extends StoredContext, Pass {}

/** Whether a BatchNorm learns from the batch's statistics. Those of a finetuned file are constant unless added for training. */
export const isLearning = (node: NodeProto): boolean => intOf(node, learningMark, 0) === 1;

/** ONNX's attribute that says so. */
export const learningMark = 'training_mode';

type Inputs = readonly (Tensor | undefined)[];
type Run = (inputs: readonly Tensor[], context: NodeContext) => Tensor;

/** An operator, and which of its inputs are trainable weights. */
export interface GraphOperator {
  readonly run: (inputs: Inputs, context: NodeContext) => Tensor;
  /** @default none */
  readonly learned?: readonly number[];
  /** Names what this node needs beyond the translation, in a few words; undefined if nothing. */
  readonly lacks?: (context: StoredContext) => string | undefined;
}

const padNd = operator('aten::constant_pad_nd');
const averagePool = operator('aten::avg_pool2d');
const leakyRelu = operator('aten::leaky_relu');
const erf = operator('aten::erf');
const softmax = operator('aten::softmax.int');
const layerNorm = operator('aten::layer_norm');
const nearestExact = operator('aten::_upsample_nearest_exact2d.vec');
const nearest = operator('aten::upsample_nearest2d.vec');

const define = (run: Run, more: Omit<GraphOperator, 'run'> = {}): GraphOperator => ({ ...more, run: run as never });

/** Operators by their ONNX names. */
export const operators: Readonly<Record<string, GraphOperator>> = {
  Add: define(([a, b]) => a!.add(b!), { learned: [0, 1] }),
  AveragePool: define(([x], context) => averagePooled(x!, context), { lacks: windowLacks }),
  BatchNormalization: define(batchNormalized, { learned: [1, 2] }),
  Clip: define(([x], context) => clipped(x!, context), { lacks: clipLacks }),
  Concat: define((inputs, { node }) => cat(inputs, { dim: intOf(node, 'axis', 0) })),
  Conv: define(convolved, { learned: [1, 2], lacks: windowLacks }),
  Div: define(([a, b]) => a!.div(b!)),
  Dropout: define(([x], context) => channelDropout(x!, context)),
  Erf: define(([x]) => invoke(erf, [x!])),
  Flatten: define(([x], { node }) => flattened(x!, intOf(node, 'axis', 1))),
  Gemm: define(([a, b, c], context) => multiplied(a!, b!, c, context), { learned: [1, 2] }),
  GlobalAveragePool: define(([x]) => x!.meanDim([2, 3], { keepdim: true })),
  HardSigmoid: define(([x], { node }) =>
    x!
      .mul(floatOf(node, 'alpha', 0.2))
      .add(floatOf(node, 'beta', 0.5))
      .clamp({ min: 0, max: 1 }),
  ),
  Identity: define(([x]) => alias(x!)),
  LayerNormalization: define(([x, weight, bias], { node }) => normalizedRows([x!, weight!, bias], node), {
    learned: [1, 2],
  }),
  LeakyRelu: define(([x], { node }) => invoke(leakyRelu, [x!, floatOf(node, 'alpha', 0.01)])),
  MatMul: define(([a, b]) => matmul(a!, b!), { learned: [0, 1] }),
  MaxPool: define(([x], context) => maxPooled(x!, context), { lacks: windowLacks }),
  Mul: define(([a, b]) => a!.mul(b!), { learned: [0, 1] }),
  PRelu: define(([x, slope]) => x!.prelu(slopesFor(x!, slope!)), { learned: [1] }),
  ReduceL2: define(
    ([x], context) => x!.norm(2, axesIn(context)!, { keepdim: intOf(context.node, 'keepdims', 1) === 1 }),
    {
      lacks: (context) => (axesIn(context) === undefined ? 'all axes at once' : undefined),
    },
  ),
  Relu: define(([x]) => x!.relu()),
  Reshape: define(([x], context) => reshaped(x!, context), { lacks: storedLacks(1, 'shape') }),
  Resize: define(([x], context) => resized(x!, context), { lacks: resizeLacks }),
  Sigmoid: define(([x]) => x!.sigmoid()),
  Slice: define(([x], context) => sliced(x!, context), { lacks: sliceLacks }),
  Softmax: define(([x], { node }) => invoke(softmax, [x!, intOf(node, 'axis', -1)])),
  Squeeze: define(([x], context) => squeezed(x!, context)),
  Sub: define(([a, b]) => a!.sub(b!), { learned: [0, 1] }),
  Transpose: define(([x], { node }) => x!.permute(intsOf(node, 'perm') ?? [...x!.shape.keys()].reverse())),
  Unsqueeze: define(([x], context) => unsqueezed(x!, context)),
};

/** ONNX pads [top, left, bottom, right]; libtorch pads both sides equally, so the rest is padded beforehand. */
function padded(
  x: Tensor,
  node: NodeProto,
  value: number,
): { readonly x: Tensor; readonly padding: readonly [number, number] } {
  const [top = 0, left = 0, bottom = 0, right = 0] = intsOf(node, 'pads') ?? [];
  if (top === bottom && left === right) return { x, padding: [top, left] };
  return { x: invoke(padNd, [x, [left, right, top, bottom], value]), padding: [0, 0] };
}

const pairOf = (node: NodeProto, name: string): readonly [number, number] =>
  (intsOf(node, name) as [number, number] | undefined) ?? [1, 1];

function convolved(inputs: Inputs, { node }: NodeContext): Tensor {
  const [input, weight, bias] = inputs as [Tensor, Tensor, Tensor | undefined];
  const { x, padding } = padded(input, node, 0);
  return convolution(x, weight, {
    bias,
    stride: pairOf(node, 'strides'),
    padding,
    dilation: pairOf(node, 'dilations'),
    groups: intOf(node, 'group', 1),
  });
}

/**
 * A BatchNorm from a file has constant statistics, so that finetuning on few people preserves them; one that learns trains
 * with those of its batch.
 */
function batchNormalized(inputs: readonly Tensor[], context: NodeContext): Tensor {
  return fusedNorm(inputs, context, {});
}

/** BatchNorm with the PReLU or sum after it, if one of them is given. */
export function fusedNorm(
  [x, weight, bias, runningMean, runningVariance]: Inputs,
  context: NodeContext,
  behind: { readonly slope?: Tensor; readonly residual?: Tensor },
): Tensor {
  const { node, isFused } = context;
  const training = context.training === true && isLearning(node);
  return batchNorm(x!, {
    weight: weight!,
    bias: bias!,
    runningMean: runningMean!,
    runningVariance: runningVariance!,
    training,
    group: training ? context.group : undefined,
    momentum: momentumOf(node),
    epsilon: floatOf(node, 'epsilon', 1e-5),
    isFused,
    ...behind,
  });
}

/** PyTorch's momentum, the batch's share; ONNX counts the other part, as float32 in a file. */
const momentumOf = (node: NodeProto): number => Number((1 - floatOf(node, 'momentum', 0.9)).toFixed(6));

/** Zeroes whole channels with this probability and scales the others to preserve the mean. */
function channelDropout(x: Tensor, { training, dropout: rate = 0.4, generator, share }: NodeContext): Tensor {
  if (training !== true || generator === undefined || rate === 0) return alias(x);
  const { first, count, total } = share ?? { first: 0, count: x.size(0), total: x.size(0) };
  const whole = zeros([total, x.size(1), 1, 1]).bernoulli_({ p: 1 - rate, generator });
  const mask = whole.narrow(0, first, count);
  return x.mul(mask.div_(1 - rate).to({ dtype: x.dtype, device: x.device }));
}

/** The same values under a new handle, since a node's input and output are freed separately. */
const alias = (x: Tensor): Tensor => x.reshape(x.shape);

/** ONNX stores slopes as (C, 1, 1); libtorch wants (C) of the input's type. */
function slopesFor(x: Tensor, slope: Tensor): Tensor {
  const row = slope.shape.length === 1 ? slope : slope.reshape([slope.length]);
  return row.dtype === x.dtype ? row : row.to({ dtype: x.dtype });
}

function clipped(x: Tensor, { node, numbers, opset }: NodeContext): Tensor {
  if (opset < 11) return x.clamp({ min: floatOf(node, 'min', -3.4e38), max: floatOf(node, 'max', 3.4e38) });
  const [min, max] = [numbers(1)?.[0] ?? null, numbers(2)?.[0] ?? null];
  return min === null && max === null ? alias(x) : x.clamp({ min, max });
}

function multiplied(a: Tensor, b: Tensor, c: Tensor | undefined, { node }: NodeContext): Tensor {
  const [alpha, beta] = [floatOf(node, 'alpha', 1), floatOf(node, 'beta', 1)];
  const isLinear = intOf(node, 'transA', 0) === 0 && intOf(node, 'transB', 0) === 1 && alpha === 1 && beta === 1;
  if (isLinear) return a.linear(b, { bias: c ?? null });
  const left = intOf(node, 'transA', 0) === 1 ? a.t() : a;
  const right = intOf(node, 'transB', 0) === 1 ? b.t() : b;
  const product = matmul(left, right).mul(alpha);
  return c === undefined ? product : product.add(c.mul(beta));
}

/** A 0 in the shape means the input's own size. */
function reshaped(x: Tensor, { numbers }: NodeContext): Tensor {
  const own = x.shape;
  return x.contiguous().reshape(numbers(1)!.map((size, i) => (size === 0 ? own[i]! : size)));
}

function flattened(x: Tensor, axis: number): Tensor {
  const rows = x.shape.slice(0, axis).reduce((product, size) => product * size, 1);
  return x.contiguous().reshape([rows, x.length / rows]);
}

/** LayerNorm over the axes from `axis` on. */
function normalizedRows([x, weight, bias]: readonly [Tensor, Tensor, Tensor | undefined], node: NodeProto): Tensor {
  const axis = intOf(node, 'axis', -1);
  const sizes = x.shape.slice(axis < 0 ? x.shape.length + axis : axis);
  return invoke(layerNorm, [x, sizes, weight, bias ?? null, floatOf(node, 'epsilon', 1e-5)]);
}

/** Consecutive values along each axis; a negative limit counts from the end. */
function sliced(x: Tensor, { numbers }: NodeContext): Tensor {
  const [starts, ends] = [numbers(1)!, numbers(2)!];
  const axes = numbers(3) ?? starts.map((_, i) => i);
  return axes.reduce((value, axis, i) => {
    const size = value.size(axis);
    const place = (at: number): number => Math.max(0, Math.min(size, at < 0 ? at + size : at));
    const [start, end] = [place(starts[i]!), place(ends[i]!)];
    return value.narrow(axis, start, Math.max(0, end - start));
  }, alias(x));
}

/** Nearest neighbours: by the pixel whose area covers the centre, or by the pixel at the rounded-down place. */
function resized(x: Tensor, { node, numbers }: NodeContext): Tensor {
  const isExact = textOf(node, 'coordinate_transformation_mode', 'half_pixel') === 'half_pixel';
  const sizes = numbers(3);
  // A given scale decides where pixels come from, not the rounded sizes.
  const size = sizes === undefined ? [null, numbers(2)!.slice(2)] : [sizes.slice(2), null];
  return invoke(isExact ? nearestExact : nearest, [x, ...size]);
}

const axesIn = ({ node, numbers }: StoredContext): readonly number[] | undefined => intsOf(node, 'axes') ?? numbers(1);

/** Proceeds from the last axis to the first, so that the earlier ones keep their positions. */
function squeezed(x: Tensor, context: NodeContext): Tensor {
  const axes = axesIn(context) ?? [...x.shape.keys()].filter((axis) => x.shape[axis] === 1);
  const places = axes.map((axis) => (axis < 0 ? axis + x.shape.length : axis)).sort((a, b) => b - a);
  return places.reduce((value, axis) => value.squeeze(axis), alias(x));
}

function unsqueezed(x: Tensor, context: NodeContext): Tensor {
  const axes = axesIn(context) ?? [];
  const rank = x.shape.length + axes.length;
  const places = axes.map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b);
  return places.reduce((value, axis) => value.unsqueeze(axis), x);
}

function maxPooled(input: Tensor, { node }: NodeContext): Tensor {
  const { x, padding } = padded(input, node, Number.NEGATIVE_INFINITY);
  const kernel = intsOf(node, 'kernel_shape')!;
  return x.maxPool2d(kernel, {
    stride: intsOf(node, 'strides') ?? 1,
    padding,
    dilation: intsOf(node, 'dilations') ?? 1,
    ceilMode: intOf(node, 'ceil_mode', 0) === 1,
  });
}

function averagePooled(x: Tensor, { node }: NodeContext): Tensor {
  const [top = 0, left = 0] = intsOf(node, 'pads') ?? [];
  const kernel = intsOf(node, 'kernel_shape')!;
  const ceiled = intOf(node, 'ceil_mode', 0) === 1;
  const countsPadding = intOf(node, 'count_include_pad', 0) === 1;
  return invoke(averagePool, [x, kernel, intsOf(node, 'strides') ?? [1, 1], [top, left], ceiled, countsPadding]);
}

function windowLacks({ node }: StoredContext): string | undefined {
  const text = textOf(node, 'auto_pad', 'NOTSET');
  if (text !== 'NOTSET' && text !== 'VALID') return `auto_pad ${text}`;
  const [top = 0, left = 0, bottom = 0, right = 0] = intsOf(node, 'pads') ?? [];
  if (node.opType === 'AveragePool' && (top !== bottom || left !== right)) return 'pads that differ between sides';
  return (intsOf(node, 'kernel_shape')?.length ?? 2) === 2 ? undefined : 'a window that is not two-dimensional';
}

function clipLacks({ node, numbers }: StoredContext): string | undefined {
  const computed = [1, 2].some((input) => (node.input[input] ?? '') !== '' && numbers(input) === undefined);
  return computed ? 'computed limits' : undefined;
}

function sliceLacks({ numbers }: StoredContext): string | undefined {
  if (numbers(1) === undefined || numbers(2) === undefined) return 'computed limits';
  return (numbers(4) ?? []).every((step) => step === 1) ? undefined : 'steps other than 1';
}

function resizeLacks({ node, numbers }: StoredContext): string | undefined {
  const scale = numbers(2)?.length === 4 ? numbers(2) : numbers(3);
  if (scale === undefined || scale.length !== 4) return 'computed sizes';
  const modes = [textOf(node, 'mode', 'nearest'), textOf(node, 'coordinate_transformation_mode', 'half_pixel')];
  const way = [...modes, textOf(node, 'nearest_mode', 'round_prefer_floor')].join();
  const known = ['nearest,half_pixel,round_prefer_ceil', 'nearest,asymmetric,floor'];
  return known.includes(way) ? undefined : `the modes ${way}`;
}

function storedLacks(input: number, what: string): (context: StoredContext) => string | undefined {
  return ({ numbers }) => (numbers(input) === undefined ? `a computed ${what}` : undefined);
}
