/** Runs one script in R processes that form a group; this process keeps their store. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Store } from '@magface/torch';

/** What one rank printed and how it ended. */
export interface RankResult {
  readonly stdout: string;
  readonly stderr: string;
  /** null when a signal ended it. */
  readonly status: number | null;
}

/**
 * @param script - TypeScript beside this file or anywhere, by URL
 * @param size - R
 * @param words - arguments of the script
 */
export async function runRanks(script: URL, size: number, words: readonly string[] = []): Promise<RankResult[]> {
  const store = new Store({ isServer: true });
  const ranks = Array.from({ length: size }, (_, rank) => runRank(script, { rank, size, port: store.port }, words));
  return await Promise.all(ranks);
}

function runRank(
  script: URL,
  { rank, size, port }: { readonly rank: number; readonly size: number; readonly port: number },
  words: readonly string[],
): Promise<RankResult> {
  const env = {
    ...process.env,
    RANK: String(rank),
    WORLD_SIZE: String(size),
    MASTER_ADDR: '127.0.0.1',
    MASTER_PORT: String(port),
    TORCHELASTIC_USE_AGENT_STORE: 'True',
  };
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), '-C', 'magface:source', fileURLToPath(script), ...words],
    { env, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (text) => (stdout += text));
  child.stderr.on('data', (text) => (stderr += text));
  return new Promise((resolve) => child.on('close', (status) => resolve({ stdout, stderr, status })));
}
