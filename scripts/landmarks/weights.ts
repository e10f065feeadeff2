/** Reads weights of TensorFlow.js: 8-bit numbers, height before width before channels. */

/** A tensor, as ONNX orders it. */
export interface PackedWeight {
  /** `(number − zero) · scale`, or `number · scale + least` without a zero. */
  readonly values: Float32Array;
  readonly numbers: Uint8Array;
  readonly scale: number;
  /** Undefined if no 8-bit number stands for 0. */
  readonly zero: number | undefined;
}

interface Listed {
  readonly name: string;
  readonly shape: readonly number[];
  readonly quantization: { readonly scale: number; readonly min: number };
}

/** @returns the weights by the names of `landmarkNetwork` */
export function packedWeights(list: readonly Listed[], bytes: Uint8Array): Map<string, PackedWeight> {
  const weights = new Map<string, PackedWeight>();
  let at = 0;
  for (const { name, shape, quantization } of list) {
    const { scale, min } = quantization;
    const length = shape.reduce((size, one) => size * one, 1);
    const numbers = reordered(bytes.subarray(at, at + length), shape, name.includes('depthwise'));
    at += length;
    const zero = Math.round(-min / scale);
    const hasZero = zero >= 0 && zero <= 255 && Math.abs(-min / scale - zero) < 1e-6;
    const values = Float32Array.from(numbers, (value) => (hasZero ? (value - zero) * scale : value * scale + min));
    weights.set(nameOf(name), { values, numbers, scale, zero: hasZero ? zero : undefined });
  }
  return weights;
}

/** `dense1/conv2/pointwise_filter` is `dense1.conv2.point.weight`. */
function nameOf(name: string): string {
  const [block, layer, kind] = name.split('/') as [string, string, string?];
  if (kind === undefined) return `${block}.${layer === 'weights' ? 'weight' : 'bias'}`;
  const isPlain = block === 'dense0' && layer === 'conv0';
  const part = {
    filters: '.weight',
    depthwise_filter: '.depth.weight',
    pointwise_filter: '.point.weight',
    bias: isPlain ? '.bias' : '.point.bias',
  }[kind];
  return `${block}.${layer}${part}`;
}

/** (height, width, in, out) to (out, in, height, width), (height, width, C, 1) of a depthwise filter to (C, 1, height, width), (in, out) to (out, in). */
function reordered(numbers: Uint8Array, shape: readonly number[], isDepthwise: boolean): Uint8Array {
  if (shape.length === 1) return numbers.slice();
  const [height, width, inputs, outputs] = (shape.length === 2 ? [1, 1, ...shape] : shape) as [
    number,
    number,
    number,
    number,
  ];
  const found = new Uint8Array(numbers.length);
  for (let y = 0, from = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      for (let i = 0; i < inputs; i++)
        for (let o = 0; o < outputs; o++, from++) {
          const channel = isDepthwise ? i * outputs + o : o * inputs + i;
          found[(channel * height + y) * width + x] = numbers[from]!;
        }
  return found;
}
