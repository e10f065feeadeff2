/** Runs a script in R processes whose store this one keeps, under the variables that launchers set. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Store } from '@magface/torch';

/** @returns what each rank printed; a rank that fails rejects with what it said */
export async function runRanks(script: URL, size: number, words: readonly string[] = []): Promise<string[]> {
  const store = new Store({ isServer: true });
  const shared = { WORLD_SIZE: `${size}`, MASTER_ADDR: '127.0.0.1', MASTER_PORT: `${store.port}` };
  const node = ['--import', import.meta.resolve('tsx'), '-C', 'magface:source', fileURLToPath(script), ...words];
  const run = async (rank: number): Promise<string> => {
    const env = { ...process.env, ...shared, RANK: `${rank}`, TORCHELASTIC_USE_AGENT_STORE: 'True' };
    return (await promisify(execFile)(process.execPath, node, { env, maxBuffer: 2 ** 28 })).stdout;
  };
  return await Promise.all(Array.from({ length: size }, (_, rank) => run(rank)));
}
