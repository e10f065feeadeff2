/** Settings shared by several commands: each is defined once, and a command's table takes those it needs. */
import type { ConfigOf, Setting } from '../settings/setting.ts';
import type { OutputFormat } from './output.ts';

/** How results are printed. */
export const outputSettings = {
  format: {
    group: 'Output:',
    takes: 'choice',
    choices: ['table', 'json', 'jsonl', 'csv'],
    value: '<format>',
    says: 'how to print results',
    default: 'table',
  },
  json: { group: 'Output:', takes: 'boolean', value: '', says: 'same as --format json' },
  quiet: {
    group: 'Output:',
    takes: 'boolean',
    value: '',
    short: '-q',
    says: 'print errors only, no progress and no notes',
  },
  debug: { group: 'Output:', takes: 'boolean', value: '', says: 'print the stack of errors' },
} as const;

export type OutputFlags = ConfigOf<typeof outputSettings>;

/** For commands that may download models. */
export const offlineSettings = {
  offline: { takes: 'boolean', value: '', says: 'use no network, only cached models' },
} as const;

const engine = {
  engine: {
    takes: 'choice',
    choices: ['onnx', 'torch', 'auto'],
    value: '<engine>',
    says: 'runtime of the recogniser',
    otherwise: 'auto, the best found by doctor --tune',
  },
  device: {
    takes: 'choice',
    choices: ['cpu', 'cuda', 'webgpu', 'coreml', 'directml'],
    value: '<device>',
    says: 'what the networks run on, as ONNX Runtime has it here; checked against the CPU at the start',
    otherwise: 'cpu',
  },
  batch: {
    takes: 'count',
    value: '<n>',
    says: 'faces per run of the network',
    otherwise: 'as tuned, else 8',
  },
  workers: {
    takes: 'count',
    value: '<n>',
    says: 'threads that process images',
    otherwise: 'one per core',
  },
  threads: {
    takes: 'count',
    value: '<n>',
    says: 'threads per network',
    otherwise: 'one in each worker',
  },
} as const;

const finder = {
  model: { takes: 'text', value: '<model>', says: 'recogniser', otherwise: 'magface-small' },
  detector: { takes: 'text', value: '<model>', says: 'face detector', otherwise: 'yunet' },
  minFaceScore: {
    takes: 'share',
    value: '<share>',
    says: 'minimum confidence of a face, 0 to 1',
    otherwise: 'the detector’s',
  },
  minFace: {
    takes: 'count',
    value: '<pixels>',
    says: 'smallest face to look for',
    otherwise: '1/25 of the photo’s shorter side',
  },
} as const;

const aligned = {
  aligned: {
    takes: 'boolean',
    value: '',
    says: 'inputs are aligned faces of 112x112: skip detection',
  },
} as const;

const modelsHeading = 'Models (a path, an id of `magface models list`, https: or npm:):';

/** The network's runtime, and the threads. */
export const engineSettings: typeof engine & typeof offlineSettings = under(modelsHeading, {
  ...engine,
  ...offlineSettings,
});

/** Recogniser, detector, and what is looked for in a photo. */
export const finderSettings: typeof finder = under(modelsHeading, finder);

/** For commands that also take aligned faces. */
export const alignedSettings: typeof aligned = under(modelsHeading, aligned);

/** Models of commands over photos or aligned faces. */
export const modelSettings: typeof finderSettings & typeof alignedSettings & typeof engineSettings = {
  ...finderSettings,
  ...alignedSettings,
  ...engineSettings,
};

export type ModelFlags = ConfigOf<typeof modelSettings>;

/** Lists of images. */
export const inputSettings = {
  list: {
    group: 'Inputs:',
    takes: 'texts',
    value: '<file>',
    says: 'list of images, the first word of each line',
  },
  root: {
    group: 'Inputs:',
    takes: 'text',
    value: '<dir>',
    says: 'folder that listed paths are relative to',
    otherwise: 'the current folder, else the list’s',
  },
} as const;

export type InputFlags = ConfigOf<typeof inputSettings>;

/** Settings from a file, for commands that run for long. */
export const configSettings = {
  config: {
    group: 'Settings:',
    takes: 'text',
    value: '<file>',
    says: 'settings as YAML, with the flags’ names in camelCase; flags override them',
  },
} as const;

/** For commands that embed faces. */
export const flipSettings = {
  flip: { takes: 'boolean', value: '', says: 'add the feature of the mirrored face (flip-sum)' },
} as const;

/** For commands that keep features or values between runs. */
export const cacheSettings = {
  cache: { takes: 'boolean', value: '', says: 'neither read nor write cached features', default: true },
} as const;

/** For commands that decide whether two faces show the same person. */
export const decisionSettings = {
  fmr: {
    takes: 'share',
    value: '<rate>',
    says: 'maximum false match rate: the given rate, or the next stricter measured one',
    default: 0.001,
  },
} as const;

/** The settings under a heading. */
export function under<Table extends Readonly<Record<string, Setting>>>(group: string, table: Table): Table {
  const rows = Object.entries(table).map(([name, setting]) => [name, { ...setting, group }]);
  return Object.fromEntries(rows) as Table;
}

/** The settings without some of them. */
export function without<Table extends object, Name extends keyof Table>(
  table: Table,
  ...names: readonly Name[]
): Omit<Table, Name> {
  const rows = Object.entries(table).filter(([name]) => !(names as readonly PropertyKey[]).includes(name));
  return Object.fromEntries(rows) as Omit<Table, Name>;
}

export const inputWords = 'files, folders (searched recursively), globs or https: addresses; - reads paths from stdin';

export const formatOf = ({ json, format }: OutputFlags): OutputFormat => (json === true ? 'json' : format);
