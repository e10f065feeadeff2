/**
 * A trained network optimised for inference: every BatchNorm that folds exactly into its neighbour is folded.
 *
 * In evaluation a BatchNorm is x ↦ scale · x + shift for each channel. After a convolution or linear layer it folds into
 * its rows; before the linear layer, through dropout and flattening, into its columns. Before a convolution with zero
 * padding it cannot be folded, since the border's zeros are not shifted, and stays.
 */
import { ShapeError } from '../../errors.ts';
import type { Layer } from './layers.ts';

/** Weights by PyTorch's names. */
export type Weights = ReadonlyMap<string, Float32Array>;

interface Wired {
  readonly inputs: readonly string[];
  readonly output: string;
}

/** A node left after folding. */
export type FoldedNode = Wired &
  (
    | {
        readonly kind: 'conv';
        readonly layer: Extract<Layer, { kind: 'conv' }>;
        readonly weight: Float32Array;
        readonly bias: Float32Array;
      }
    | {
        readonly kind: 'linear';
        readonly layer: Extract<Layer, { kind: 'linear' }>;
        readonly weight: Float32Array;
        readonly bias: Float32Array;
      }
    | { readonly kind: 'affine'; readonly channels: number; readonly scale: Float32Array; readonly shift: Float32Array }
    | { readonly kind: 'prelu'; readonly slope: Float32Array }
    | { readonly kind: 'clamp'; readonly highest: number }
    | { readonly kind: 'add' }
    | { readonly kind: 'flatten' }
  );

interface Affine {
  readonly scale: Float64Array;
  readonly shift: Float64Array;
}

/** @param epsilon - that of BatchNorm */
export function foldNetwork(layers: readonly Layer[], weights: Weights, epsilon: number): FoldedNode[] {
  return new Folding(layers, weights, epsilon).run();
}

class Folding {
  readonly #layers: readonly Layer[];
  readonly #weights: Weights;
  readonly #epsilon: number;
  readonly #readers = new Map<string, Layer[]>();
  readonly #nodes = new Map<string, FoldedNode>();
  /** A value under the name that it has after folding. */
  readonly #names = new Map<string, string>();
  /** Scales and shifts to fold into the next linear layer. */
  readonly #pending = new Map<string, Affine>();

  constructor(layers: readonly Layer[], weights: Weights, epsilon: number) {
    this.#layers = layers;
    this.#weights = weights;
    this.#epsilon = epsilon;
    for (const layer of layers) {
      for (const input of layer.inputs) this.#readers.set(input, [...(this.#readers.get(input) ?? []), layer]);
    }
  }

  run(): FoldedNode[] {
    for (const layer of this.#layers) this.#take(layer);
    return [...this.#nodes.values()];
  }

  #take(layer: Layer): void {
    const inputs = layer.inputs.map((name) => this.#names.get(name) ?? name);
    const [input = ''] = inputs;
    const wired = { inputs, output: layer.output };
    switch (layer.kind) {
      case 'conv': {
        const bias = new Float32Array(layer.outChannels);
        this.#put({ kind: 'conv', layer, ...wired, weight: this.#weight(layer, 'weight'), bias });
        break;
      }
      case 'linear':
        this.#linear(layer, wired);
        break;
      case 'batchNorm':
        this.#batchNorm(layer, wired);
        break;
      case 'prelu':
        this.#put({ kind: 'prelu', ...wired, slope: this.#weight(layer, 'weight') });
        break;
      case 'clamp':
        this.#put({ kind: 'clamp', ...wired, highest: layer.highest });
        break;
      case 'add':
        this.#put({ kind: 'add', ...wired });
        break;
      case 'channelDropout':
        this.#names.set(layer.output, input);
        break;
      case 'flatten': {
        const affine = this.#pending.get(input);
        if (affine !== undefined) this.#pending.set(layer.output, affine);
        this.#put({ kind: 'flatten', ...wired });
        break;
      }
    }
  }

  #batchNorm(layer: Layer & { kind: 'batchNorm' }, wired: Wired): void {
    const affine = this.#affineOf(layer);
    const [input = ''] = wired.inputs;
    const producer = this.#nodes.get(input);
    const isOnlyReader = this.#readers.get(layer.inputs[0]!)?.length === 1;
    if (isOnlyReader && (producer?.kind === 'conv' || producer?.kind === 'linear')) {
      this.#nodes.set(input, { ...producer, ...scaleRows(producer, affine) });
      this.#names.set(layer.output, input);
    } else if (this.#endsInLinear(layer)) {
      this.#pending.set(input, affine);
      this.#names.set(layer.output, input);
    } else {
      const [scale, shift] = [Float32Array.from(affine.scale), Float32Array.from(affine.shift)];
      this.#put({ kind: 'affine', ...wired, channels: layer.channels, scale, shift });
    }
  }

  /** Whether only dropout and flattening follow before a linear layer. */
  #endsInLinear(layer: Layer): boolean {
    const readers = this.#readers.get(layer.output) ?? [];
    const [next] = readers;
    if (readers.length !== 1 || next === undefined) return false;
    if (next.kind === 'linear') return true;
    return (next.kind === 'channelDropout' || next.kind === 'flatten') && this.#endsInLinear(next);
  }

  #linear(layer: Layer & { kind: 'linear' }, wired: Wired): void {
    let weight = this.#weight(layer, 'weight');
    let bias = this.#weight(layer, 'bias');
    const affine = this.#pending.get(wired.inputs[0]!);
    if (affine !== undefined) {
      const area = layer.inFeatures / affine.scale.length; // pixels that each channel was flattened to
      const sums = Float64Array.from(bias);
      weight = weight.map((value, i) => {
        const channel = Math.floor((i % layer.inFeatures) / area);
        sums[Math.floor(i / layer.inFeatures)]! += value * affine.shift[channel]!;
        return value * affine.scale[channel]!;
      });
      bias = Float32Array.from(sums);
    }
    this.#put({ kind: 'linear', layer, ...wired, weight, bias });
  }

  #affineOf(layer: Layer & { kind: 'batchNorm' }): Affine {
    const [weight, bias] = [this.#weight(layer, 'weight'), this.#weight(layer, 'bias')];
    const [mean, variance] = [this.#weight(layer, 'running_mean'), this.#weight(layer, 'running_var')];
    const epsilon = layer.epsilon ?? this.#epsilon;
    const scale = Float64Array.from(weight, (value, i) => value / Math.sqrt(variance[i]! + epsilon));
    const shift = Float64Array.from(bias, (value, i) => value - mean[i]! * scale[i]!);
    return { scale, shift };
  }

  #put(node: FoldedNode): void {
    this.#nodes.set(node.output, node);
  }

  #weight(layer: Layer, suffix: string): Float32Array {
    const values = this.#weights.get(`${layer.name}.${suffix}`);
    if (values !== undefined) return values;
    throw new ShapeError(
      `Expected weights named ${layer.name}.${suffix} but there are none: give the arch that they were trained with.`,
    );
  }
}

/** Row c of the weight times scale c; the bias too, and shifted. */
function scaleRows(
  { weight, bias }: { readonly weight: Float32Array; readonly bias: Float32Array },
  { scale, shift }: Affine,
): { weight: Float32Array; bias: Float32Array } {
  const row = weight.length / bias.length;
  return {
    weight: weight.map((value, i) => value * scale[Math.floor(i / row)]!),
    bias: bias.map((value, c) => value * scale[c]! + shift[c]!),
  };
}
