/**
 * BatchNorm for a network that had its own folded into its convolutions on export: a node after each trained convolution
 * that trains with batch statistics and initially changes nothing. Writing the file folds it again.
 */
import { clone } from '@bufbuild/protobuf';
import { noGrad, scope, type Tensor } from '@magface/torch';
import { indexGraph, intAttribute, newNode } from '../nodes.ts';
import { ModelProtoSchema } from '../onnx/onnx_pb.ts';
import { floatTensor, halved } from '../onnx/tensor.ts';
import type { Network } from './network.ts';
import { type FileNetwork, networkOf } from './open-graph.ts';
import { isLearning, learningMark } from './operators.ts';

/** The default of ONNX and PyTorch. */
const epsilon = 1e-5;

/** Names of a fresh node's tensors, in the order of its inputs. */
const partsOf = (output: string): string[] =>
  ['scale', 'bias', 'mean', 'variance'].map((part) => `${output}.fresh.${part}`);

/**
 * @param trained - names of weights
 * @returns a network with a BatchNorm after each convolution that has a trained weight and no BatchNorm yet
 */
export function insertBatchNorm(network: FileNetwork, trained: readonly string[]): FileNetwork {
  const model = clone(ModelProtoSchema, network.model);
  const graph = model.graph!;
  const { readers, constant, store } = indexGraph(graph, network.name);
  const isNormed = (output: string): boolean =>
    readers.get(output)?.some(({ opType, input }) => opType === 'BatchNormalization' && input[0] === output) ?? false;
  graph.node = graph.node.flatMap((node) => {
    const output = node.output[0]!;
    if (node.opType !== 'Conv' || !trained.includes(node.input[1]!) || isNormed(output)) return [node];
    const { dims, dtype } = constant(node.input[1])!;
    const [channels = 0] = dims;
    const parts = partsOf(output).map((part, i) => {
      const values = floatTensor([channels], new Float32Array(channels).fill(i % 3 === 0 ? 1 : 0));
      return store(part, dtype === 'float16' ? halved(values) : values);
    });
    const raw = `${output}.raw`;
    node.output = [raw];
    const norm = newNode('BatchNormalization', [raw, ...parts], output, [intAttribute(learningMark, 1)]);
    norm.name = node.name;
    return [node, norm];
  });
  return networkOf(model, network.name, network.device);
}

/**
 * Initialises each fresh node as an identity: its statistics are those of the batch, its scale and bias undo them.
 *
 * @param batch - (N, …): the value `from`
 * @param from - name of the batch's value; undefined for the input
 */
export function startBatchNorm(network: Network, batch: Tensor, from: string | undefined): void {
  for (const { input } of network.nodes.filter(isLearning)) {
    using _scope = scope();
    using _ = noGrad();
    const value = network.forward(batch, { ...(from !== undefined && { from }), to: input[0]! }); // (N, C, H, W)
    const [scale, bias, mean, variance] = input.slice(1).map((name) => network.tensors.get(name)!) as [
      Tensor,
      Tensor,
      Tensor,
      Tensor,
    ];
    const means = value.meanDim([0, 2, 3]); // (C)
    const centered = value.sub(means.reshape([1, means.length, 1, 1]));
    const variances = centered.square().meanDim([0, 2, 3]);
    mean.copy_(means);
    variance.copy_(variances);
    bias.copy_(means);
    scale.copy_(variances.add(epsilon).sqrt());
  }
}
