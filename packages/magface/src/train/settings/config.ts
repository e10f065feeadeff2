/** The configuration of a training run: validated, complete, and with the defaults of its mode. */
import { z } from 'zod';
import { ConfigError } from '../../errors.ts';
import { isWithout } from '../../settings/dependent.ts';
import { flagOf } from '../../settings/flag-names.ts';
import { type ConfigOf, type Setting, schemaOf } from '../../settings/setting.ts';
import { finetuneSettings } from '../finetune/finetune-settings.ts';
import { chosenByRecipe, expectApplicable, expectConsistent, isOfNoDamage } from './applicable.ts';
import { modelSettings } from './model-settings.ts';
import { defaultIn, isFor, type Mode, modeOf } from './modes.ts';
import { runSettings } from './run-settings.ts';
import { settingError } from './setting-error.ts';

/** Every setting by its YAML name; the command line uses the same name in kebab-case. */
export const trainSettings: typeof modelSettings & typeof finetuneSettings & typeof runSettings = {
  ...modelSettings,
  ...finetuneSettings,
  ...runSettings,
};

/** The same table, for lookups by any name. */
export const settingsByName: Readonly<Record<string, Setting>> = trainSettings;

/** A validated configuration. Settings that do not apply to its mode have their usual default. */
export type TrainConfig = ConfigOf<typeof trainSettings>;

/** Names of all settings. */
export const trainConfigKeys: readonly string[] = Object.keys(trainSettings);

const schema = z.strictObject(
  Object.fromEntries(
    Object.entries(settingsByName).map(([name, setting]) => {
      return [name, setting.required === true ? schemaOf(setting) : schemaOf(setting).optional()];
    }),
  ),
);

/** The context of a configuration. */
export interface ParseOptions {
  /** Whether several processes train, with `--nproc` or under a launcher. @default false */
  readonly processes?: boolean;
}

/**
 * @param given - fields of the YAML file, overridden by those of the command line
 * @throws {ConfigError} naming the settings that are unknown or wrong, or that do not apply to this mode of training
 */
export function parseTrainConfig(given: unknown, { processes = false }: ParseOptions = {}): TrainConfig {
  if (typeof given !== 'object' || given === null) {
    throw new ConfigError('config', {
      expected: 'settings by name',
      received: JSON.stringify(given),
      remedy: 'write one `key: value` per line',
    });
  }
  const named = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const mode = modeOf(named['init'], processes);
  expectApplicable(named, settingsByName, { mode, processes });
  const settings = { ...defaultsOf(named, mode), ...named };
  const result = schema.safeParse(settings);
  if (!result.success) throw settingError(settings, result.error.issues, settingsByName);
  const config = result.data as TrainConfig; // the schema and the type come from the same table
  expectConsistent(named, config, settingsByName);
  return config;
}

function defaultsOf(given: Readonly<Record<string, unknown>>, mode: Mode): Record<string, unknown> {
  const defaults = Object.entries(settingsByName).map(([name, setting]) => [name, defaultIn(setting, mode)] as const);
  const isGiven = chosenByRecipe.some((name) => given[name] !== undefined);
  return {
    ...Object.fromEntries(defaults.filter(([, value]) => value !== undefined)),
    ...(given['optimizer'] === 'adamw' && adamwDefaults(mode)),
    ...(isGiven && { recipe: 'given' }),
  };
}

/** Those of InsightFace's Vision Transformers; finetuning takes the same twentieth of the rate as with SGD. */
const adamwDefaults = (mode: Mode): Record<string, number> => ({ lr: mode === 'onnx' ? 5e-5 : 1e-3, weightDecay: 0.1 });

/** @returns the settings that the run uses; as a settings file they give the same configuration */
export function usedSettings(config: TrainConfig, { processes = false }: ParseOptions = {}): Record<string, unknown> {
  const mode = modeOf(config.init, processes);
  const isChosen = (name: string): boolean =>
    mode === 'onnx' && config.recipe === 'auto' && chosenByRecipe.includes(name);
  const used = Object.entries(config).filter(([name]) => {
    const setting = settingsByName[name]!;
    if (isOfNoDamage(name, config)) return false;
    return isFor(setting, mode, processes) && !isWithout(setting, config, settingsByName) && !isChosen(name);
  });
  return Object.fromEntries(used);
}

/** Official flags that always have one value: that value, and what to use instead of another. */
export const settledFlags: Readonly<Record<string, { readonly value: string; readonly instead: string }>> = {
  vis_mag: { value: '1', instead: 'the report always has that picture' },
  'start-epoch': { value: '0', instead: '--resume continues from the newest checkpoint, at its epoch' },
};

const byOfficial: ReadonlyMap<string, string> = new Map(
  Object.entries(settingsByName).flatMap(([name, { official }]) => (official === undefined ? [] : [[official, name]])),
);

/** Names of official flags that differ from ours. */
export const officialFlagNames: readonly string[] = [...byOfficial.keys(), ...Object.keys(settledFlags)];

const byFlag: ReadonlyMap<string, string> = new Map(trainConfigKeys.map((name) => [flagOf(name), name]));

/**
 * @param flag - ours in kebab-case or an official one, without dashes
 * @returns the value as a field of the configuration; nothing for an official flag that always has this value
 * @throws {ConfigError} if an official flag has an unsupported value
 */
export function fromFlag(flag: string, value: string | readonly string[] | boolean): Record<string, unknown> {
  const settled = settledFlags[flag];
  if (settled !== undefined) {
    if (value === settled.value) return {};
    throw new ConfigError(flag, {
      expected: `--${flag} to be ${settled.value}`,
      received: String(value),
      remedy: settled.instead,
    });
  }
  const name = byOfficial.get(flag) ?? byFlag.get(flag) ?? flag;
  const setting = settingsByName[name];
  if (flag === setting?.official && setting.officialValues !== undefined) {
    return { [name]: officialValue(flag, String(value), setting.officialValues) };
  }
  // A folder may be named 2024: a setting that accepts text keeps it as text.
  const isText = setting !== undefined && schemaOf(setting).safeParse(value).success;
  return { [name]: isText ? value : parsed(value) };
}

function officialValue(flag: string, value: string, meanings: Readonly<Record<string, string>>): string {
  const meaning = meanings[value];
  if (meaning !== undefined) return meaning;
  const choices = Object.entries(meanings).map(([given, means]) => `${given} (${means})`);
  throw new ConfigError(flag, {
    expected: `--${flag} to be ${choices.join(' or ')}`,
    received: value,
    remedy: 'correct it',
  });
}

function parsed(value: string | readonly string[] | boolean): unknown {
  if (typeof value === 'boolean') return value;
  if (typeof value !== 'string') return value.map(parsed);
  if (value === 'true' || value === 'false') return value === 'true';
  return value.trim() !== '' && Number.isFinite(Number(value)) ? Number(value) : value;
}
