/** `magface doctor --tune`: the best engine, batch and threads for a model on this machine. */
import type { Trial, Tuning } from '../infer/node/tuning.ts';
import type { Context } from './context.ts';
import type { OutputFlags } from './options.ts';
import { startProgress } from './progress.ts';
import { downloadNotes } from './run-images.ts';

export interface TuneFlags extends OutputFlags {
  readonly model?: string | undefined;
  readonly offline?: boolean | undefined;
}

/** Tuning result of a named model. */
export interface TunedModel extends Tuning {
  readonly model: string;
}

/** @throws {ModelError} if the model cannot load or run */
export async function tuneModel(flags: TuneFlags, context: Context): Promise<TunedModel> {
  const { env, services, signal } = context;
  const cacheDir = env['MAGFACE_CACHE'];
  const { defaultModels } = await import('../infer/node/magface.ts');
  const name = flags.model ?? defaultModels.recogniser;
  const fetching = { cacheDir, signal, offline: flags.offline, onProgress: downloadNotes(flags, context) };
  const model = await services.loadModel(name, { ...fetching, kind: 'recogniser' });
  const { tune } = await import('../infer/node/tune.ts');
  const progress = startProgress(context.stderr, { total: 12, unit: 'ways', quiet: flags.quiet === true });
  let tried = 0;
  try {
    const found = await tune(model as Parameters<typeof tune>[0], {
      cacheDir,
      signal,
      onTrial: () => progress.update(++tried),
    });
    return { model: name, ...found };
  } finally {
    progress.stop();
  }
}

/** A table of the trials; the best is marked. */
export function tuningLines({ model, trials, cosine, ...best }: TunedModel): string[] {
  const isBest = (one: Trial): boolean =>
    one.name === best.name && one.threads === best.threads && one.batchSize === best.batchSize;
  const row = (cells: readonly (string | number)[], mark = ''): string =>
    `  ${String(cells[0]).padEnd(8)}${cells
      .slice(1)
      .map((cell) => String(cell).padStart(10))
      .join('')}${mark}`;
  const closeness =
    cosine === null
      ? '  torch was not tried: it needs @magface/torch and a model with supported layers'
      : `  lowest cosine between torch's and onnx's embeddings: ${cosine.toFixed(5)}`;
  return [
    `tuned ${model}, faces per second of the network:`,
    row(['engine', 'threads', 'batch', 'faces/s']),
    ...trials.map((one) =>
      row([one.name, one.threads, one.batchSize, one.rate.toFixed(1)], isBest(one) ? '  <- --engine auto' : ''),
    ),
    closeness,
  ];
}
