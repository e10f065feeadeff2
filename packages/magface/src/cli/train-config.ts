/** Makes a training configuration from the command line and settings file. */
import { ConfigError } from '../errors.ts';
import { flagOf } from '../settings/flag-names.ts';
import { expectApplicable } from '../train/settings/applicable.ts';
import { fromFlag, parseTrainConfig, type TrainConfig } from '../train/settings/config.ts';
import { modeOf } from '../train/settings/modes.ts';
import type { Context } from './context.ts';
import type { OutputFlags } from './options.ts';
import { runFlags } from './train-flags.ts';
import { readYaml } from './yaml-file.ts';

/** Parsed flags of the command; all other flags are settings. */
export interface TrainFlags extends OutputFlags {
  readonly config?: string;
  readonly resume?: boolean;
  readonly nproc?: number;
  readonly maxRestarts?: number;
  readonly printConfig?: boolean;
  readonly verifyData?: boolean;
}

const outputFlags = ['json', 'format', 'quiet', 'debug'];

export interface GivenConfig {
  readonly config: TrainConfig;
  /** Whether this run uses several processes. */
  readonly processes: boolean;
}

/**
 * Settings of the file, overridden by flags.
 *
 * @throws {ConfigError} naming what is wrong or would have no effect
 */
export async function configOf(flags: TrainFlags, { env }: Pick<Context, 'env'>): Promise<GivenConfig> {
  const what = { key: 'config', what: 'settings, a line `key: value` each,', see: '`magface train --print-config`' };
  const file = flags.config === undefined ? {} : await readYaml(flags.config, what);
  const given = { ...file, ...settingsIn(flags) };
  const launched = env['WORLD_SIZE'] !== undefined;
  if (launched) expectNoLauncher(flags);
  const processes = launched || flags.nproc !== undefined;
  const { init } = given as { readonly init?: unknown };
  const own = Object.entries({ ...flags, init }).filter(([name]) => name === 'init' || name in runFlags);
  expectApplicable(Object.fromEntries(own), runFlags, { mode: modeOf(init, processes), processes });
  return { config: parseTrainConfig(given, { processes }), processes };
}

/** Another launcher that sets WORLD_SIZE started this process and will restart it. */
function expectNoLauncher({ nproc, maxRestarts }: TrainFlags): void {
  const flag = nproc !== undefined ? 'nproc' : maxRestarts !== undefined ? 'max-restarts' : undefined;
  if (flag === undefined) return;
  throw new ConfigError(flag, {
    expected: `either --${flag} or another launcher`,
    received: 'both, because WORLD_SIZE is set',
    remedy: `leave --${flag} out`,
  });
}

/** @throws {ConfigError} if two spellings of a setting disagree */
function settingsIn(flags: TrainFlags): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  const spelled = new Map<string, string>();
  for (const [key, value] of Object.entries(flags)) {
    if (key in runFlags || outputFlags.includes(key)) continue;
    const flag = flagOf(key);
    for (const [name, one] of Object.entries(fromFlag(flag, value as string))) {
      const before = spelled.get(name);
      if (before !== undefined && JSON.stringify(settings[name]) !== JSON.stringify(one)) {
        throw new ConfigError(flag, {
          expected: `one value for --${before} and --${flag} (which are the same setting)`,
          received: 'two',
          remedy: 'leave one out',
        });
      }
      spelled.set(name, flag);
      settings[name] = one;
    }
  }
  return settings;
}
