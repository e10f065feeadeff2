/** Runs `magface serve` in its own process, for load tests. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const command = fileURLToPath(new URL('../../packages/magface/dist/cli/main.js', import.meta.url));

export interface Service {
  readonly address: string;
  readonly pid: number;
  /** CPU time since its start, from its metrics. */
  cpuSeconds(): Promise<number>;
  stop(): Promise<void>;
}

/** @param words - arguments of the command; picks a free port */
export async function startService(words: readonly string[]): Promise<Service> {
  const all = ['serve', '--port', '0', '--log-level', 'error', '--timeout', '600', ...words];
  const child = spawn(process.execPath, [command, ...all], { stdio: ['ignore', 'ignore', 'pipe'] });
  let notes = '';
  const address = await new Promise<string>((resolve, reject) => {
    child.stderr.on('data', (data: Buffer) => {
      notes += data;
      const found = /Listening on (http:\/\/[\d.]+:\d+)/.exec(notes);
      if (found !== null) resolve(found[1]!);
    });
    child.on('exit', () => reject(new Error(notes)));
  });
  return {
    address,
    pid: child.pid!,
    cpuSeconds: () => metric(address, 'process_cpu_seconds_total'),
    stop: () =>
      new Promise((resolve) => {
        child.on('exit', () => resolve());
        child.kill('SIGTERM');
      }),
  };
}

async function metric(address: string, name: string): Promise<number> {
  const text = await (await fetch(`${address}/metrics`, { headers: { connection: 'close' } })).text();
  return Number(new RegExp(`^${name} (\\S+)`, 'm').exec(text)?.[1]);
}
