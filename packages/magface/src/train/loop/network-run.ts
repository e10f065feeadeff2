/** Prepares a run that trains a layered network, from scratch or from weights. */
import { magnitudesOf } from '../../eval/feature-set.ts';
import { openArchitecture } from '../../graph/networks/architectures.ts';
import { datasetSize } from '../data/dataset.ts';
import { Loader } from '../data/loader.ts';
import { teach } from '../data/teacher.ts';
import type { DistillationOptions } from '../model/distillation.ts';
import { namedLoss } from '../model/heads/loss-table.ts';
import type { LossOptions } from '../model/heads/open-head.ts';
import { loadWeights } from '../model/initial-weights.ts';
import { leastLambdaG, type MagFaceConstants } from '../model/magface-loss.ts';
import { magnitudeAdvice } from '../model/recipe.ts';
import { coresOfRank } from '../parallel/environment.ts';
import type { TrainConfig } from '../settings/config.ts';
import { LossScale } from './loss-scale.ts';
import type { PreparedRun, RunStart } from './prepared-run.ts';
import { everyTenth } from './train-hooks.ts';
import { Trainer } from './trainer.ts';

export async function prepareNetwork({ config, dataset, ranks, onNote }: RunStart): Promise<PreparedRun> {
  if (config.loss === 'magface') noteLambda(config, onNote);
  const distillation = await distillationOf({ config, dataset, ranks, onNote });
  const trainer = await createTrainer({ config, dataset, ranks }, distillation);
  const loader = new Loader(dataset, {
    batchSize: config.batchSize,
    seed: config.seed,
    flip: config.flip,
    sampling: { by: config.sampling, setWeights: config.setWeights },
    degrade:
      config.degrade === 0
        ? undefined
        : { share: config.degrade, strength: config.degradeStrength, kinds: config.degradeKinds },
    workers: config.workers ?? Math.min(4, coresOfRank(process.env)),
    part: ranks,
    onUnreadable: (path, reason) => onNote(`${path} cannot be read and is replaced by another image: ${reason}`),
  });
  return {
    loader,
    trainer,
    begin: async () => {
      if (config.init !== undefined) await startFrom(config.init, config, { loader, trainer, onNote });
    },
    watch: (hooks) => {
      const processes = ranks.group === undefined ? '' : `, ${ranks.size} ranks`;
      onNote(
        `${config.arch}: ${datasetSize(dataset)}, ${loader.stepsPerEpoch} steps of ${config.batchSize} an epoch, ${config.epochs} epochs, ${config.precision}${processes}.`,
      );
      return hooks;
    },
    [Symbol.asyncDispose]: () => loader[Symbol.asyncDispose](),
  };
}

/** The loss that the settings ask for. */
function lossOf(config: TrainConfig): LossOptions {
  if (config.loss !== 'magface') return namedLoss(config.loss, config.lossConstants);
  const { margin, lowerMagnitude, upperMagnitude, lowerMargin, upperMargin, lambdaG, scale, easyMargin } = config;
  return {
    margin,
    lowerMagnitude,
    upperMagnitude,
    lowerMargin,
    upperMargin,
    lambdaG,
    scale,
    easyMargin,
  } satisfies MagFaceConstants;
}

async function distillationOf({ config, dataset, ranks, onNote }: RunStart): Promise<DistillationOptions | undefined> {
  const { teacher: model, teacherWeight: weight, teacherLogits: logits, teacherCache, output } = config;
  if (model === undefined) return undefined;
  const cores = coresOfRank(process.env);
  const [workers, threads] = [config.workers ?? Math.min(4, cores), config.threads ?? cores];
  const onProgress = everyTenth('Features of the teacher', onNote);
  const folder = teacherCache ?? output;
  return { teacher: await teach({ model, dataset, folder, ranks, workers, threads, onProgress }), weight, logits };
}

async function createTrainer(
  { config, dataset, ranks }: Omit<RunStart, 'onNote'>,
  distillation: DistillationOptions | undefined,
): Promise<Trainer> {
  return new Trainer({
    architecture: await openArchitecture(config.arch, config.embeddingSize),
    classes: dataset.classes,
    loss: lossOf(config),
    labelSmoothing: config.labelSmoothing,
    optimizer: config.optimizer,
    momentum: config.momentum,
    beta2: config.beta2,
    weightDecay: config.weightDecay,
    decayBiasAndNorm: config.decayBiasAndNorm,
    dropout: config.dropout,
    precision: config.precision,
    device: config.device,
    fused: config.fused,
    seed: config.seed,
    sampleRate: config.sampleRate,
    ema: config.ema,
    accumulate: config.accumulate,
    distillation,
    ...(config.precision === 'fp16' && { lossScale: new LossScale() }),
    ranks,
  });
}

/** Loads a backbone and warns if its magnitudes are not between l_a and u_a. */
async function startFrom(
  file: string,
  config: TrainConfig,
  { loader, trainer, onNote }: Pick<RunStart, 'onNote'> & { readonly loader: Loader; readonly trainer: Trainer },
): Promise<void> {
  await loadWeights(trainer.network, file);
  if (config.loss !== 'magface') return;
  for await (const { faces } of loader.batches(0)) {
    const { values, dimension } = { values: trainer.embed(faces), dimension: config.embeddingSize };
    const advice = magnitudeAdvice(magnitudesOf({ values, dimension }), config);
    if (advice !== undefined) onNote(advice);
    return;
  }
}

/** Reports the paper's bound on λ_g at the start, with a suitable value. */
function noteLambda(config: TrainConfig, onNote: (line: string) => void): void {
  const least = leastLambdaG(config);
  if (config.lambdaG >= least) return;
  onNote(
    `lambda_g is ${config.lambdaG}, below its lower bound ${least.toFixed(2)}: magnitudes may not settle within (l_a, u_a]. Use --lambda_g ${Math.ceil(least)} or more.`,
  );
}
