/** `magface train` with several processes: starts them, or joins as one. */
import { fileURLToPath } from 'node:url';
import { checkPrecision } from '../train/loop/precision.ts';
import type { ProcessGroup } from '../train/parallel/environment.ts';
import type { TrainConfig } from '../train/settings/config.ts';
import { type Context, note } from './context.ts';
import type { ExitCode } from './errors.ts';

/** Flags for the launcher only, each with a value. */
const launchFlags = ['--nproc', '--max-restarts'];

/**
 * Starts the ranks and waits for them.
 *
 * @param words - the command line behind the program's name
 */
export async function startRanks(
  flags: { readonly nproc?: number; readonly maxRestarts?: number; readonly resume?: boolean },
  words: readonly string[],
  { config, context }: { readonly config: TrainConfig; readonly context: Context },
): Promise<ExitCode> {
  checkPrecision(config); // warns only here
  const { checkDevice, deviceOfRank } = await import('../train/loop/device.ts');
  const { nproc: ranks = 1 } = flags;
  for (let rank = 0; rank < ranks; rank++) {
    checkDevice(deviceOfRank(config.device, { LOCAL_RANK: `${rank}` }, ranks));
  }
  const { launch } = await import('../train/parallel/launcher.ts');
  // Tests run from source but use the compiled program: a new process cannot load TypeScript.
  const main = import.meta.url.endsWith('.ts') ? '../../dist/cli/main.js' : './main.js';
  const program = fileURLToPath(new URL(main, import.meta.url));
  const own = withoutLaunchFlags(words);
  const status = await launch({
    ranks,
    maxRestarts: flags.maxRestarts ?? 0,
    command: (attempt) => [program, ...own, ...(attempt > 0 && flags.resume !== true ? ['--resume'] : [])],
    signal: context.signal,
    onNote: (line) => note(context, line),
  });
  return status as ExitCode;
}

/** Removes both `--nproc 4` and `--nproc=4`. */
function withoutLaunchFlags(words: readonly string[]): string[] {
  return words.filter(
    (word, i) => !launchFlags.some((flag) => word === flag || word.startsWith(`${flag}=`) || words[i - 1] === flag),
  );
}

/** The process group from a launcher's variables; undefined if this process trains alone. */
export async function joinRanks(config: TrainConfig, context: Context): Promise<ProcessGroup | undefined> {
  const { backendOf, joinGroup, rankOf } = await import('../train/parallel/environment.ts');
  const place = rankOf(context.env);
  if (place === undefined) return undefined;
  endWithLauncher();
  const { checkDevice, deviceOfRank } = await import('../train/loop/device.ts');
  checkDevice(deviceOfRank(config.device, context.env, place.size));
  return joinGroup(place, context.env, { timeout: config.collectiveTimeout, backend: backendOf(config.device) });
}

/** Exits with the launcher, so that no rank trains on unnoticed. */
function endWithLauncher(): void {
  if (process.channel === undefined) return;
  process.once('disconnect', () => process.exit(3));
  process.channel?.unref();
}
