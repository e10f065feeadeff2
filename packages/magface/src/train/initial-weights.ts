/** Finetuning: a backbone's weights from a file, and what its magnitudes say about the constants of the loss. */
import { fromArray, noGrad, scope } from '@magface/torch';
import { FormatError } from '../errors.ts';
import { type Tensor as Stored, toFloat32 } from '../format/tensor.ts';
import { readTensors } from './checkpoint-file.ts';
import type { MagFaceConstants } from './magface-loss.ts';
import type { Network } from './network.ts';

/** Prefixes under which trainers have stored a backbone: ours, the official ones, none. */
const prefixes = ['features.', 'module.features.', 'features.module.', 'module.', ''];

/**
 * Takes a backbone's weights over; class centers are not taken, so the classes may be others.
 *
 * @param file - `.safetensors`: a checkpoint of ours, or what `magface convert` makes of an official `.pth`
 * @throws {FormatError} naming the first tensor that does not fit
 */
export async function loadWeights(network: Network, file: string): Promise<void> {
  const { tensors } = await readTensors(file);
  takeOver(network, tensors, file);
}

function takeOver(network: Network, tensors: ReadonlyMap<string, Stored>, file: string): void {
  using _scope = scope();
  using _grad = noGrad();
  const names = [...network.tensors.keys()];
  const prefix = prefixes.find((one) => names.every((name) => tensors.has(one + name)));
  if (prefix === undefined) {
    const lacking = names.find((name) => !prefixes.some((one) => tensors.has(one + name)));
    throw new FormatError(
      file,
      `Expected all ${names.length} tensors of ${network.architecture.name} but it lacks ${lacking ?? names[0]}: is it of another arch?`,
    );
  }
  for (const [name, tensor] of network.tensors) {
    const stored = tensors.get(prefix + name)!;
    if (stored.shape.join() !== tensor.shape.join()) {
      throw new FormatError(
        file,
        `Expected ${name} of shape (${tensor.shape.join(', ')}) but it is (${stored.shape.join(', ')}).`,
      );
    }
    tensor.copy_(fromArray(toFloat32(stored), stored.shape));
  }
}

/**
 * The recipe of the official README: [l_a, u_a] must hold the magnitudes that the model has.
 *
 * @param magnitudes - of a few samples
 * @returns what to change, in a sentence; undefined when it fits
 */
export function magnitudeAdvice(
  magnitudes: ArrayLike<number>,
  constants: Pick<MagFaceConstants, 'lowerMagnitude' | 'upperMagnitude'>,
): string | undefined {
  const [low, high] = [Math.min(...Array.from(magnitudes)), Math.max(...Array.from(magnitudes))];
  const { lowerMagnitude, upperMagnitude } = constants;
  if (lowerMagnitude < low && high < upperMagnitude) return undefined;
  const [la, ua] = [Math.max(0.1, Math.floor(low * 0.8 * 10) / 10), Math.ceil(high * 1.5)];
  return `Magnitudes of the starting model lie in [${low.toFixed(2)}, ${high.toFixed(2)}] but l_a is ${lowerMagnitude} and u_a is ${upperMagnitude}, beyond which nothing is learned about quality: use --l_a ${la} --u_a ${ua}.`;
}
