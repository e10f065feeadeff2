/** Rewrites the record of a model file, and its entry in the list of models. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { withMetadata } from '../../packages/magface/src/graph/onnx/file.ts';
import { contractMetadata, type RecogniserContract } from '../../packages/magface/src/models/contract.ts';

/**
 * @param model - its path; graph and weights stay the same
 * @param registry - path of models.json, whose entry of the default model is updated. @default none
 */
export function rewriteRecord(model: string, contract: RecogniserContract, registry?: string): void {
  const bytes = withMetadata(readFileSync(model), contractMetadata(contract), model);
  writeFileSync(model, bytes);
  if (registry !== undefined) updateRegistry(registry, bytes, contract);
}

/** Updates the entry of the default model in models.json. */
export function updateRegistry(registry: string, bytes: Uint8Array, contract: RecogniserContract): void {
  const entries = JSON.parse(readFileSync(registry, 'utf8')) as { id: string; sha256: string; contract: object }[];
  const entry = entries.find(({ id }) => id === 'magface-small')!;
  entry.sha256 = createHash('sha256').update(bytes).digest('hex');
  entry.contract = { ...entry.contract, ...contract };
  writeFileSync(registry, `${JSON.stringify(entries, undefined, 2)}\n`);
  execFileSync('npx', ['biome', 'format', '--write', registry], { stdio: ['ignore', 'ignore', 'inherit'] });
}
