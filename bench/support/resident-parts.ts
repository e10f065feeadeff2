/** Resident memory of a process by who allocated it, on Linux. */
import { readFileSync } from 'node:fs';

/** MiB. */
export interface ResidentParts {
  readonly total: number;
  /** Mapped files: Node, libraries. */
  readonly files: number;
  /** glibc's heap and arenas: native code, contents of buffers. */
  readonly malloc: number;
  /** Other memory: V8's heaps of all threads, WebAssembly, stacks, large blocks of malloc. */
  readonly v8: number;
}

/** glibc's arenas of other threads than the first begin at multiples of this. */
const arenaBytes = 64 * 2 ** 20;

export function residentParts(pid: number): ResidentParts {
  const parts = { files: 0, malloc: 0, v8: 0 };
  let kind: keyof typeof parts = 'v8';
  for (const line of readFileSync(`/proc/${pid}/smaps`, 'utf8').split('\n')) {
    const mapping = /^([0-9a-f]+)-[0-9a-f]+ (\S+) \S+ \S+ \S+ *(.*)$/.exec(line);
    const resident = /^Rss: +(\d+) kB/.exec(line);
    if (mapping !== null) kind = kindOf(Number.parseInt(mapping[1]!, 16), mapping[2]!, mapping[3]!);
    if (resident !== null) parts[kind] += Number(resident[1]) / 1024;
  }
  const { files, malloc, v8 } = parts;
  return {
    total: Math.round(files + malloc + v8),
    files: Math.round(files),
    malloc: Math.round(malloc),
    v8: Math.round(v8),
  };
}

function kindOf(start: number, access: string, name: string): 'files' | 'malloc' | 'v8' {
  if (name.startsWith('/')) return 'files';
  if (name === '[heap]') return 'malloc';
  return name === '' && start % arenaBytes === 0 && access.startsWith('rw') ? 'malloc' : 'v8';
}
