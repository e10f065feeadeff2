/** The shape of every value of a network for one image, and what its layers multiply. */
import { intOf, intsOf } from '../nodes.ts';
import type { NodeProto } from '../onnx/onnx_pb.ts';
import { floatsOf, integersOf, isFloat, tensorOf } from '../onnx/tensor.ts';
import { type Architecture, inputValue } from './builder.ts';

export type Shape = readonly number[];

/** A node with the shapes of what it reads and writes. */
export interface ShapedNode {
  readonly node: NodeProto;
  readonly inputs: readonly (Shape | undefined)[];
  readonly output: Shape;
}

export const productOf = (sizes: Shape): number => sizes.reduce((product, size) => product * size, 1);

/** @param side - of the image, in pixels */
export function shapedNodes({ name, nodes, tensors, constants }: Architecture, side: number): ShapedNode[] {
  const shapes = new Map<string, Shape>(tensors.map((tensor) => [tensor.name, tensor.shape]));
  const numbers = new Map<string, readonly number[]>();
  for (const proto of constants) {
    const tensor = tensorOf(proto, name);
    shapes.set(proto.name, tensor.dims);
    numbers.set(proto.name, isFloat(tensor) ? [...floatsOf(tensor)] : integersOf(tensor));
  }
  shapes.set(inputValue, [1, 3, side, side]);
  return nodes.map((node) => {
    const inputs = node.input.map((input) => shapes.get(input));
    const output = outputShape(node, inputs as Shape[], (input) => numbers.get(node.input[input] ?? ''));
    shapes.set(node.output[0]!, output);
    return { node, inputs, output };
  });
}

type Numbers = (input: number) => readonly number[] | undefined;

function outputShape(node: NodeProto, inputs: readonly Shape[], numbers: Numbers): Shape {
  const [x = [], y = []] = inputs;
  switch (node.opType) {
    case 'Conv':
      return [x[0]!, y[0]!, ...moved(node, x)];
    case 'MaxPool':
    case 'AveragePool':
      return [x[0]!, x[1]!, ...moved(node, x)];
    case 'GlobalAveragePool':
      return [x[0]!, x[1]!, 1, 1];
    case 'Flatten':
      return [x[0]!, productOf(x.slice(1))];
    case 'Gemm':
      return [x[0]!, y[0]!];
    case 'MatMul':
      return [...x.slice(0, -1), y.at(-1)!];
    case 'Reshape': {
      const sizes = numbers(1)!;
      const left = productOf(x) / productOf(sizes.filter((size) => size > 0));
      return sizes.map((size) => (size < 0 ? left : size));
    }
    case 'Transpose':
      return intsOf(node, 'perm')!.map((axis) => x[axis]!);
    case 'Slice':
      return sliced(x, numbers);
    case 'Concat': {
      const axis = intOf(node, 'axis', 0);
      return x.map((size, i) => (i === axis ? inputs.reduce((sum, one) => sum + one[axis]!, 0) : size));
    }
    case 'Resize':
      return x.map((size, i) => Math.floor(size * numbers(2)![i]!));
    case 'ReduceL2':
      return [...x.slice(0, -1), 1];
    case 'Add':
    case 'Mul':
    case 'Div':
      return repeated(x, y);
    default:
      return x;
  }
}

function moved(node: NodeProto, x: Shape): Shape {
  const [kernel, strides, pads] = ['kernel_shape', 'strides', 'pads'].map((name) => intsOf(node, name)!);
  return [0, 1].map((i) => Math.floor((x[2 + i]! + pads![i]! + pads![2 + i]! - kernel![i]!) / strides![i]!) + 1);
}

function sliced(x: Shape, numbers: Numbers): Shape {
  const [starts, ends, axes] = [1, 2, 3].map((input) => numbers(input)!);
  return x.map((size, axis) => {
    const at = axes!.indexOf(axis);
    return at < 0 ? size : Math.min(size, ends![at]!) - starts![at]!;
  });
}

function repeated(a: Shape, b: Shape): Shape {
  const rank = Math.max(a.length, b.length);
  const sizeOf = (shape: Shape, i: number): number => shape[i - rank + shape.length] ?? 1;
  return Array.from({ length: rank }, (_, i) => Math.max(sizeOf(a, i), sizeOf(b, i)));
}
