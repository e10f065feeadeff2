/** Initialises finetuning: loads a backbone's weights, and checks the loss constants against its magnitudes. */
import { fromArray, noGrad, scope } from '@magface/torch';
import { expectOfficialNames, officialNames } from '../../format/official-names.ts';
import { toFloat32 } from '../../format/tensor.ts';
import type { MagFaceConstants } from './magface-loss.ts';
import type { Network } from './network.ts';
import { openWeights } from './read-backbone.ts';

/**
 * Loads a backbone's weights but not its class centers, so the classes may differ.
 *
 * @param file - an official `.pth` of any trainer's layout, one whose names format/foreign-names.ts knows, or a `.safetensors` such as a checkpoint of ours
 * @throws {FormatError} naming the tensors that do not fit
 */
export async function loadWeights(network: Network, file: string): Promise<void> {
  const opened = await openWeights(file);
  try {
    const shapes = new Map([...network.tensors].map(([name, tensor]) => [name, tensor.shape]));
    const { names } = expectOfficialNames(file, officialNames(opened.tensors, shapes));
    for (const [name, stored] of names) copyInto(network, name, toFloat32(await opened.read(stored)));
  } finally {
    await opened.close();
  }
}

function copyInto(network: Network, name: string, values: Float32Array): void {
  using _scope = scope();
  using _grad = noGrad();
  const tensor = network.tensors.get(name)!;
  tensor.copy_(fromArray(values, tensor.shape));
}

/**
 * The recipe of the official README: [l_a, u_a] must contain the model's magnitudes.
 *
 * @param magnitudes - those of a few samples
 * @returns the suggested change, in a sentence; undefined if none is needed
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
