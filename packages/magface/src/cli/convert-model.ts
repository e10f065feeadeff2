/** The part of `magface convert` that writes `.onnx`: from weights of a known architecture or a model. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { ConvertedOnnx, WeightType } from '../convert/convert-onnx.ts';
import { ConfigError } from '../errors.ts';
import { writeWhole } from '../format/file-writer.ts';
import type { ConfigOf } from '../settings/setting.ts';
import { type Context, note } from './context.ts';
import { findImages } from './inputs.ts';
import type { OutputFlags } from './options.ts';
import { startProgress } from './progress.ts';
import { readYaml } from './yaml-file.ts';

/** Settings of a model's conversion. */
export const conversionSettings = {
  dtype: {
    group: 'To .onnx:',
    takes: 'choice',
    choices: ['fp32', 'fp16', 'int8'],
    value: '<type>',
    says: 'type of the weights',
    default: 'fp32',
  },
  faces: {
    group: 'To .onnx:',
    takes: 'text',
    value: '<dir>',
    says: 'aligned faces to calibrate int8 on: a folder, a glob or a list',
  },
  samples: {
    group: 'To .onnx:',
    takes: 'count',
    value: '<n>',
    says: 'number of faces to calibrate on, spread over the given ones',
    default: 100,
    onlyWith: ['faces'],
  },
  describe: {
    group: 'To .onnx:',
    takes: 'text',
    value: '<file>',
    says: 'record for a model that has none, or corrections to its record',
  },
  arch: {
    group: 'To .onnx:',
    takes: 'text',
    value: '<name>',
    says: 'architecture of a .pth or .safetensors: a name, or the file of your own network',
    otherwise: 'the one that its tensors fit',
  },
} as const;

export type ModelConversionFlags = ConfigOf<typeof conversionSettings>;

/** `--json` output for a written model. */
export interface ConvertedModel {
  readonly tensors: number;
  readonly dtype: WeightType;
  readonly bytes: number;
  readonly batch: ConvertedOnnx['batch'];
}

interface Conversion {
  /** As the user named it: a path, an id or an address. */
  readonly from: string;
  readonly to: string;
  /** Whether the input is weights rather than a model. */
  readonly isWeights: boolean;
  readonly flags: ModelConversionFlags & OutputFlags;
  readonly context: Context;
}

/** @throws {MagfaceError} if the input cannot be loaded or written as requested */
export async function convertModel(conversion: Conversion): Promise<ConvertedModel> {
  const { from, to, isWeights, flags, context } = conversion;
  if (!isWeights && flags.arch !== undefined) {
    throw new ConfigError('arch', {
      expected: 'no --arch for an ONNX model, which has its own graph',
      remedy: 'leave it out',
    });
  }
  const scratch = await mkdtemp(join(tmpdir(), 'magface-convert-'));
  try {
    const model = isWeights
      ? await exportWeights(from, { folder: scratch, arch: flags.arch })
      : existsSync(from)
        ? resolve(from) // a file, even if a model has that id
        : from;
    const { bytes, tensors, batch, notes: told } = await writeAs(model, conversion);
    const notes = [...told];
    await writeWhole(to, bytes);
    if (isWeights && flags.describe === undefined && !(await isOwn(from))) notes.unshift(pixelsOfWeights);
    if (flags.quiet !== true) for (const line of notes) note(context, line);
    return { tensors, dtype: flags.dtype, bytes: bytes.length, batch };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** Whether `magface train` wrote the weights: its networks share one input format. */
async function isOwn(file: string): Promise<boolean> {
  const { isCheckpoint } = await import('../train/loop/checkpoint-file.ts');
  return file.endsWith('.safetensors') && (await isCheckpoint(file));
}

const pixelsOfWeights =
  'The weights do not define the pixel format: assumed BGR / 255, like magface train and the official models. Pass --describe if this is wrong.';

async function exportWeights(
  file: string,
  { folder, arch }: { readonly folder: string; readonly arch: string | undefined },
): Promise<string> {
  const { readBackbone } = await import('../train/model/read-backbone.ts');
  const { exportOnnx } = await import('../train/model/onnx-export.ts');
  const { architecture, weights } = await readBackbone(file, arch);
  const exported = join(folder, 'exported.onnx');
  await writeFile(exported, exportOnnx(architecture, weights));
  return exported;
}

async function writeAs(model: string, { from, flags, context }: Conversion): Promise<ConvertedOnnx> {
  const { convertOnnx } = await import('../convert/convert-onnx.ts');
  const { dtype, samples, quiet = false } = flags;
  let progress: ReturnType<typeof startProgress> | undefined;
  try {
    return await convertOnnx(model, {
      called: from,
      dtype,
      samples,
      faces: dtype === 'fp32' ? [] : await facesOf(flags, context),
      describe: flags.describe === undefined ? undefined : await readDescription(flags.describe),
      cacheDir: context.env['MAGFACE_CACHE'],
      signal: context.signal,
      onRun: (done, total) => {
        progress ??= startProgress(context.stderr, { total, unit: 'runs on faces', quiet });
        progress.update(done);
      },
    });
  } finally {
    progress?.stop();
  }
}

async function facesOf({ faces }: ModelConversionFlags, context: Context): Promise<string[]> {
  if (faces === undefined) return [];
  const isList = /\.(list|txt|lst)$/i.test(faces);
  const found = await findImages(isList ? [] : [faces], { ...context, ...(isList ? { list: [faces] } : {}) });
  return found.map(({ path }) => path);
}

const readDescription = (file: string): Promise<Record<string, unknown>> =>
  readYaml(file, { key: 'describe', what: 'a record such as {"input": {...}}', see: '`magface convert --help`' });
