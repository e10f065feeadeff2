/** docs/backbones.md: parameters and FLOPs of every built-in network beside what its authors publish. */
import { architecture } from '../../src/graph/networks/architectures.ts';
import type { Architecture } from '../../src/graph/networks/builder.ts';
import { networkCost } from '../../src/graph/networks/network-cost.ts';
import { productOf, type ShapedNode, shapedNodes } from '../../src/graph/networks/value-shapes.ts';
import { fixtureJson } from './fixtures.ts';

/** A way of counting FLOPs. */
export type Counting = 'multiplications' | 'layers' | 'twice' | 'modules' | 'ghost';

/** Keras counts running statistics among the weights; MobileFaceNet's paper leaves out the slopes of PReLU. */
export type Weights = 'without PReLU' | 'with statistics';

export interface PublishedNetwork {
  readonly name: string;
  readonly length: number;
  /** Millions, with the digits that are given. @default none are published */
  readonly parameters?: string;
  /** What the published number counts beside or without the learned ones. @default these */
  readonly weights?: Weights;
  readonly flops?: string;
  readonly counts?: Counting;
  readonly source?: string;
  /** The code whose list of layers ours follows, where no number is published. */
  readonly layers?: string;
}

export const publishedNetworks: readonly PublishedNetwork[] = fixtureJson<{ networks: PublishedNetwork[] }>(
  'backbones.json',
).networks;

const says: Readonly<Record<Counting, string>> = {
  multiplications: 'multiplications of convolutions, linear layers and matrix products',
  layers: 'these, 2 for each value of a BatchNorm, 1 for each of a PReLU or ReLU (as ptflops counts)',
  twice: '2 for each multiplication',
  modules:
    '2 for each multiplication, 1 for each bias, 2 for each value of a BatchNorm, 1 of an activation, pooling by its window (the authors’ modelFLOPS.py)',
  ghost:
    'multiplications, also of gates and attention, and 1 for each value of a PReLU (half of what TensorFlow’s profiler gives)',
};

const sum = (nodes: readonly ShapedNode[], ...kinds: readonly string[]): number =>
  nodes.filter(({ node }) => kinds.includes(node.opType)).reduce((total, { output }) => total + productOf(output), 0);

/** FLOPs of one face. */
export function flopsOf(description: Architecture, counting: Counting): number {
  const nodes = shapedNodes(description, 112);
  const products = networkCost(description).operations / 2;
  const norms = sum(nodes, 'BatchNormalization');
  const activations = sum(nodes, 'PRelu', 'Relu', 'Sigmoid');
  switch (counting) {
    case 'multiplications':
      return products;
    case 'layers':
      return products + 2 * norms + activations;
    case 'twice':
      return 2 * products;
    case 'ghost':
      return products + sum(nodes, 'PRelu', 'Mul');
    case 'modules': {
      const biased = nodes.filter(({ node }) => ['Conv', 'Gemm'].includes(node.opType) && node.input.length > 2);
      const bias = biased.reduce((total, { output }) => total + productOf(output), 0);
      const pools = nodes.filter(({ node }) => node.opType === 'GlobalAveragePool');
      const pooled = 9 * sum(nodes, 'MaxPool') + pools.reduce((total, { inputs }) => total + productOf(inputs[0]!), 0);
      return 2 * products + bias + 2 * norms + activations + pooled;
    }
  }
}

/** Learned numbers, with or without others. */
export function parametersOf(description: Architecture, weights?: Weights): number {
  const slopes = new Set(description.nodes.filter(({ opType }) => opType === 'PRelu').map(({ input }) => input[1]));
  const counted = description.tensors.filter(({ name, trainable }) => {
    if (weights === 'without PReLU' && slopes.has(name)) return false;
    return trainable || weights === 'with statistics';
  });
  return counted.reduce((total, { shape }) => total + productOf(shape), 0);
}

/** Whether a number rounds, or is cut off, to the published text. */
export function agrees(ours: number, published: string): boolean {
  const zeros = /^\d+?(0*)$/.exec(published)?.[1]?.length ?? 0;
  const unit = published.includes('.') ? 10 ** -published.split('.')[1]!.length : 10 ** zeros;
  const given = Number(published);
  return Math.abs(ours - given) <= unit / 2 + 1e-9 || (ours >= given && ours < given + unit);
}

const millions = (value: number, digits: number): string => (value / 1e6).toFixed(digits);

/** Families that the torch engine runs by a plan with packed weights; it runs the others one operator after another. */
export const isPlanned = (name: string): boolean => /^(iresnet|mobilefacenet|mbf)/.test(name);

/** @returns the page */
export function backbonesPage(): string {
  const rows = publishedNetworks.map(({ name, length, parameters, weights, flops, counts, source, layers }) => {
    const description = architecture(name, length);
    const own = millions(parametersOf(description, weights), 3);
    const ours = counts === undefined ? '' : millions(flopsOf(description, counts), 1);
    return `| \`${name}\` | ${length} | ${parameters ?? ''} | ${own}${weights === undefined ? '' : ` ${weights}`} | ${flops ?? ''} | ${ours} | ${counts ?? ''} | ${millions(flopsOf(description, 'multiplications'), 1)} | ${isPlanned(name) ? 'packed' : 'by operator'} | ${source ?? (layers === undefined ? '' : `layers of ${layers}`)} |`;
  });
  return `# Backbones

\`magface train --arch NAME\` trains any of these networks, and \`magface convert\` writes them as ONNX. Each is one
file in \`packages/magface/src/graph/networks\`. Their tensors have the names and shapes of the authors'
PyTorch code, so that its weights fit: iResNet (MagFace, InsightFace), IR-SE (face.evoLVe, InsightFace_Pytorch), \`mbf\` and
\`vit-*\` (arcface_torch), EdgeFace, PocketNet and MixFaceNet. Names and shapes are tested; only MagFace's own weights were tried as
files. GhostFaceNet's weights are Keras files, which cannot be read. Weights keep the input that they were trained with, which
\`--describe\` of \`magface convert\` records.

Numbers are millions, for a face of 112 x 112. "Published" is what the source says; "ours" is counted from our graph, FLOPs in the
way of the source. This page is generated: \`npm run docs\`.

| \`--arch\` | feature | parameters, published | ours | FLOPs, published | ours | counted as | multiplications | torch engine | source |
|---|---|---|---|---|---|---|---|---|---|
${rows.join('\n')}

All of them run in Node and in the browser (ONNX Runtime), and on the torch engine (\`--engine torch\`), with the same embeddings; a test
compares the three for at least one network of each family. The torch engine runs *packed* networks from packed weights, in bfloat16 where
the processor has it, and the others *by operator*, in float32, while their thread waits; \`magface doctor --tune\` finds the faster engine.

FLOPs are counted as:

${Object.entries(says)
  .map(([name, text]) => `- *${name}*: ${text}.`)
  .join('\n')}

Where the numbers differ by more than rounding, the layers are those of the authors' code, which we compared one by one:

- EdgeFace's FLOPs differ by 0.2 %: its source does not say how it counts biases and attention.
- MobileFaceNet's 439.8 comes from later papers, which do not say how they count; 0.5 %.
- MixFaceNet's differ by at most 0.1 %.
- iResNet's BatchNorm has MagFace's epsilon, 2e-5. InsightFace trains with 1e-5; its weights give features that differ in the fifth digit.
- InsightFace's ViT drops blocks and a tenth of the patches in training; ours does not.
`;
}
