/** Starts a described network from a backbone's weights. */
import { fromArray, noGrad, scope } from '@magface/torch';
import { expectOfficialNames, officialNames } from '../../format/official-names.ts';
import { toFloat32 } from '../../format/tensor.ts';
import type { Network } from '../../graph/torch/network.ts';
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
