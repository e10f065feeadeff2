/**
 * PocketNet: cells that a search on faces found, each of which reads the two before it. Layers and names are those of the
 * authors' backbones/augment_cnn.py with the genotype `softmax_casia` (github.com/fdbtrs/PocketNet).
 *
 * @see Boutros et al., PocketNet, arXiv 2108.10710
 */
import { type Architecture, inputValue, NetworkBuilder } from './builder.ts';

/** Channels of the first cell, cells, and the feature's usual length. */
const sizes = {
  'pocketnet-s-128': { channels: 16, cells: 18, length: 128 },
  'pocketnet-s-256': { channels: 16, cells: 18, length: 256 },
  'pocketnet-m-128': { channels: 32, cells: 9, length: 128 },
  'pocketnet-m-256': { channels: 32, cells: 9, length: 256 },
} as const;

/** An edge of a cell: what it does, and which state it reads; 0 and 1 are the two cells before. */
type Edge = readonly [operation: `conv${1 | 3 | 5 | 7}` | 'max' | 'skip', from: number];

/** Two edges into each of the four inner states, whose values are joined. */
const genotype: Readonly<Record<'normal' | 'reduce', readonly (readonly [Edge, Edge])[]>> = {
  normal: [
    [
      ['conv3', 0],
      ['conv1', 1],
    ],
    [
      ['conv3', 2],
      ['conv5', 0],
    ],
    [
      ['conv3', 3],
      ['conv3', 0],
    ],
    [
      ['conv3', 4],
      ['skip', 0],
    ],
  ],
  reduce: [
    [
      ['conv3', 1],
      ['conv7', 0],
    ],
    [
      ['skip', 2],
      ['conv5', 1],
    ],
    [
      ['max', 0],
      ['skip', 2],
    ],
    [
      ['max', 0],
      ['max', 1],
    ],
  ],
};

const epsilon = 1e-5;

export type PocketNetName = keyof typeof sizes;

export const pocketnetNames: readonly PocketNetName[] = Object.keys(sizes) as PocketNetName[];

/** @param embeddingLength - D @default 128 or 256, as in the name */
export function pocketnet(name: PocketNetName, embeddingLength: number = sizes[name].length): Architecture {
  const net = new NetworkBuilder();
  const { channels: first, cells } = sizes[name];
  let x = net.conv('stem.0', inputValue, { from: 3, to: 4 * first, kernel: 3, stride: 2 }); // (N, 4 C, 56, 56)
  x = net.batchNorm('stem.1', x, 4 * first, epsilon);
  let [older, newer] = [x, x];
  let [olderWidth, newerWidth] = [4 * first, 4 * first];
  let channels = first;
  let wasReduced = false;
  for (let i = 0; i < cells; i++) {
    const reduces = [Math.floor(cells / 3), Math.floor((2 * cells) / 3), cells - 1].includes(i);
    if (reduces) channels *= 2;
    const shape = { olderWidth, newerWidth, channels, wasReduced, reduces };
    [older, newer] = [newer, cell(net, `cells.${i}`, [older, newer], shape)];
    [olderWidth, newerWidth, wasReduced] = [newerWidth, 4 * channels, reduces];
  }
  const wide = embeddingLength === 512 ? 1024 : 512;
  x = net.prelu('tail.0', newer, newerWidth);
  x = net.conv('tail.1', x, { from: newerWidth, to: wide, kernel: 1 }); // (N, 512, 7, 7)
  x = net.batchNorm('tail.2', x, wide, epsilon);
  x = net.prelu('tail.3', x, wide);
  x = net.conv('tail.4', x, { from: wide, to: wide, kernel: 7, padding: 0, groups: wide });
  x = net.batchNorm('tail.5', x, wide, epsilon);
  x = net.conv('tail.6', x, { from: wide, to: embeddingLength, kernel: 1 });
  x = net.batchNorm('tail.7', x, embeddingLength, epsilon);
  net.flatten('flatten', x); // (N, D)
  return net.build(name, embeddingLength);
}

interface CellShape {
  /** Channels of the two cells before. */
  readonly olderWidth: number;
  readonly newerWidth: number;
  /** Channels of each state. */
  readonly channels: number;
  /** Whether the cell before halved the image. */
  readonly wasReduced: boolean;
  readonly reduces: boolean;
}

function cell(net: NetworkBuilder, name: string, [older, newer]: readonly [string, string], shape: CellShape): string {
  const { olderWidth, newerWidth, channels, wasReduced, reduces } = shape;
  const first = { from: olderWidth, to: channels };
  const states = [
    wasReduced
      ? halved(net, `${name}.preproc0`, older, first)
      : separable(net, `${name}.preproc0`, older, { ...first, kernel: 1, stride: 1 }),
    separable(net, `${name}.preproc1`, newer, { from: newerWidth, to: channels, kernel: 1, stride: 1 }),
  ];
  for (const [node, edges] of genotype[reduces ? 'reduce' : 'normal'].entries()) {
    const [a, b] = edges.map(([operation, from], i) => {
      const stride = reduces && from < 2 ? 2 : 1;
      return edge(net, `${name}.dag.${node}.${i}`, states[from]!, { operation, channels, stride });
    });
    states.push(net.add(`${name}.dag.${node}`, a!, b!));
  }
  return net.concat(name, states.slice(2));
}

function edge(
  net: NetworkBuilder,
  name: string,
  input: string,
  shape: { readonly operation: Edge[0]; readonly channels: number; readonly stride: number },
): string {
  const { operation, channels, stride } = shape;
  const same = { from: channels, to: channels };
  if (operation === 'skip') return stride === 1 ? input : halved(net, name, input, same);
  if (operation === 'max') {
    const x = net.maxPool(`${name}.pool`, input, { kernel: 3, stride });
    return net.batchNorm(`${name}.bn`, x, channels, epsilon);
  }
  return separable(net, name, input, { ...same, kernel: Number(operation.slice(4)), stride });
}

/** PReLU, a window on each channel, a pointwise convolution, BatchNorm. */
function separable(
  net: NetworkBuilder,
  name: string,
  input: string,
  shape: { readonly from: number; readonly to: number; readonly kernel: number; readonly stride: number },
): string {
  const { from, to, kernel, stride } = shape;
  let x = net.prelu(`${name}.net.0`, input, from);
  x = net.conv(`${name}.net.1`, x, { from, to: from, kernel, stride, groups: from });
  x = net.conv(`${name}.net.2`, x, { from, to, kernel: 1 });
  return net.batchNorm(`${name}.net.3`, x, to, epsilon);
}

/** Half the size by every second pixel: half of the channels from the even ones, the others from the odd ones. */
function halved(
  net: NetworkBuilder,
  name: string,
  input: string,
  { from, to }: { readonly from: number; readonly to: number },
): string {
  const x = net.prelu(`${name}.relu`, input, from);
  const odd = net.slice(`${name}.odd`, x, { axes: [2, 3], start: 1 });
  const half = (value: string, layer: 1 | 2): string => {
    const picked = { from, to: from, kernel: 1, stride: 2, groups: from };
    const filtered = net.conv(`${name}.conv${layer}1`, value, picked);
    return net.conv(`${name}.conv${layer}2`, filtered, { from, to: to / 2, kernel: 1 });
  };
  const joined = net.concat(`${name}.joined`, [half(x, 1), half(odd, 2)]);
  return net.batchNorm(`${name}.bn`, joined, to, epsilon);
}
