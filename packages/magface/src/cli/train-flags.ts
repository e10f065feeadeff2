/** The flags of `magface train`, from its settings: ours, and the official ones by their names. */
import { type Command, Option } from 'commander';
import { flagOf } from '../settings/flag-names.ts';
import type { Setting } from '../settings/setting.ts';
import { settingsByName, settledFlags } from '../train/settings/config.ts';
import { defaultWords, modesOf, remarkOf } from '../train/settings/modes.ts';
import { flagWords, parserOf } from './setting-flags.ts';

/** Flags of the command only, not allowed in a settings file. */
export const runFlags: Readonly<Record<string, Setting>> = {
  config: {
    group: 'Run:',
    takes: 'text',
    value: '<file>',
    says: 'settings as YAML, with the flags’ names in camelCase; flags override them',
  },
  resume: {
    group: 'Run:',
    takes: 'boolean',
    value: '',
    says: 'continue from the newest checkpoint in the output folder',
  },
  nproc: {
    group: 'Run:',
    takes: 'count',
    value: '<n>',
    says: 'number of processes, each with a part of the batch and, unless a model is finetuned, of the classes',
  },
  maxRestarts: {
    group: 'Run:',
    takes: 'count',
    value: '<n>',
    says: 'how often to restart all processes from the last checkpoint after one died',
    onlyFor: 'processes',
    otherwise: 'never',
  },
  printConfig: { group: 'Run:', takes: 'boolean', value: '', says: 'print the settings of the run as YAML and exit' },
  verifyData: {
    group: 'Run:',
    takes: 'boolean',
    value: '',
    says: 'read every image once, list the unusable ones and exit',
  },
};

/** Every flag by the name of its value, in the order of the help. */
export const allFlags: Readonly<Record<string, Setting>> = { ...runFlags, ...settingsByName };

const groups = [
  'Run:',
  'Data:',
  'Model:',
  'Loss:',
  'Finetuning an ONNX model:',
  'Schedule:',
  'Machine:',
  'Several processes:',
  'Writing:',
];

const modesHelp = `
The mode follows from --init:
  without it       training from scratch: a network of --arch, random weights
  a .pth, .pt, .ckpt or .safetensors
                   training from these weights
  any other model  finetuning an ONNX model: its own graph is trained
--nproc runs each of them in several processes.

A setting is rejected in modes that it does not apply to. The remarks "not
ONNX", "ONNX only" and "several processes only" show these. If ONNX models have
another default, it follows "ONNX:".`;

/** Adds every setting as a flag. Official spellings work too and appear in the help. */
export function addTrainFlags(command: Command): Command {
  command.description(`${command.description()}\n${modesHelp}`);
  for (const group of groups) {
    command.optionsGroup(group);
    for (const [name, setting] of Object.entries(allFlags)) {
      if (setting.group !== group) continue;
      const { official } = setting;
      const option = new Option(flagWords(name, setting), helpOf(setting));
      // Settings are validated later, with those of the file.
      command.addOption(name in runFlags && setting.takes === 'count' ? option.argParser(parserOf(setting)) : option);
      if (official !== undefined) command.addOption(new Option(officialFlag(setting)).hideHelp());
    }
  }
  // Accepted so that official command lines run as is.
  for (const name of Object.keys(settledFlags)) command.addOption(new Option(`--${name} <n>`).hideHelp());
  return command;
}

/** `--wd <x>`, `--arc <0|1>` */
function officialFlag({ official, officialValues, value }: Setting): string {
  const shown = officialValues === undefined ? value.replace('...', '') : `<${Object.keys(officialValues).join('|')}>`;
  return `--${official} ${shown}`;
}

/** `images in each step (default: 512; ONNX: 128)` */
export function helpOf(setting: Setting): string {
  const [first] = modesOf(setting);
  const [own, onnx] = [defaultWords(setting, first!), defaultWords(setting, 'onnx')];
  const notes = [
    remarkOf(setting),
    needs(setting),
    own === undefined ? undefined : own === 'required' ? own : `default: ${own}`,
    modesOf(setting).includes('onnx') && onnx !== own ? `ONNX: ${onnx}` : undefined,
    setting.official === undefined ? undefined : `also ${officialFlag(setting)}`,
  ].filter((note) => note !== undefined);
  return notes.length === 0 ? setting.says : `${setting.says} (${notes.join('; ')})`;
}

/** `only with --schedule drops` */
export function needs({ onlyWith }: Setting): string | undefined {
  if (onlyWith === undefined) return undefined;
  const [name, ...value] = onlyWith;
  return ['only with', `--${flagOf(name)}`, ...value].join(' ');
}
