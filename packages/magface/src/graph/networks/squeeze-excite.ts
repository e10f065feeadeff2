/**
 * Squeeze and excitation: a gate from 0 to 1 on each channel, computed from the channels' means by two layers.
 *
 * @see Hu et al., Squeeze-and-Excitation Networks, arXiv 1709.01507
 */
import type { NetworkBuilder } from './builder.ts';

export interface SqueezeExcite {
  readonly channels: number;
  /** Channels between the two layers. */
  readonly inner: number;
  /** Names of the two layers. */
  readonly names: readonly [string, string];
  /** Whether the layers have a bias. */
  readonly bias: boolean;
  /** Adds the activation between them. */
  readonly activate: (name: string, input: string) => string;
  /** Adds the function that ends in 0 to 1. @default the sigmoid */
  readonly gate?: (name: string, input: string) => string;
}

/** @returns the name of the gated value */
export function squeezeExcite(net: NetworkBuilder, name: string, input: string, shape: SqueezeExcite): string {
  const { channels, inner, names, bias, activate } = shape;
  const gate = shape.gate ?? ((layer: string, value: string): string => net.sigmoid(layer, value));
  let x = net.globalAverage(`${name}.pool`, input); // (N, C, 1, 1)
  x = net.conv(`${name}.${names[0]}`, x, { from: channels, to: inner, kernel: 1, bias });
  x = activate(`${name}.activation`, x);
  x = net.conv(`${name}.${names[1]}`, x, { from: inner, to: channels, kernel: 1, bias });
  return net.mul(name, input, gate(`${name}.gate`, x));
}
