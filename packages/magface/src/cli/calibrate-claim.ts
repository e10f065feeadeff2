/**
 * A user's file of a known model that may not be redistributed, such as the official iResNet-50 that OFIQ
 * uses: exports differ in bytes, so no digest identifies it. The user names the model, and the file gets its record.
 */
import { ConfigError } from '../errors.ts';
import type { RecogniserContract } from '../models/contract.ts';
import type { LoadedModel } from '../models/load-model.ts';
import { nearestIds, readRegistry } from '../models/registry.ts';

/**
 * @param id - from the registry
 * @returns the file with the record of that model
 * @throws {ConfigError} if the id is unknown or a detector's, or the file cannot be that model
 */
export async function claimed(model: LoadedModel<'recogniser'>, id: string): Promise<LoadedModel<'recogniser'>> {
  const registry = await readRegistry();
  const entry = registry.find((known) => known.id === id);
  if (entry?.contract.kind !== 'recogniser') {
    const ids = registry.filter(({ contract }) => contract.kind === 'recogniser').map((known) => known.id);
    const near = nearestIds(id, ids);
    const hint = near.length > 0 ? `did you mean ${near.join(' or ')}?` : `known are ${ids.join(', ')}`;
    throw new ConfigError('claim', { expected: 'the id of a recogniser', received: id, remedy: hint });
  }
  const { contract } = entry;
  if (contract.embeddingLength !== model.contract.embeddingLength)
    throw new ConfigError('claim', {
      expected: `embeddings of ${contract.embeddingLength} values (like those of ${id})`,
      problem: `${model.name} gives ${model.contract.embeddingLength}`,
      remedy: 'name the model that this file is',
    });
  return { ...model, contract: withSource(contract, id) };
}

/** Records that the user named the model. */
function withSource(contract: RecogniserContract, id: string): RecogniserContract {
  const { calibration } = contract;
  if (calibration === undefined) return contract;
  return {
    ...contract,
    calibration: { ...calibration, source: `${calibration.source}; the file was claimed to be ${id}` },
  };
}
