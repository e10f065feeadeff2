/** No setting is silently ignored: a setting without effect is rejected by name. */
import { ConfigError } from '../../errors.ts';
import { expectMet } from '../../settings/dependent.ts';
import { flagOf } from '../../settings/flag-names.ts';
import type { Setting } from '../../settings/setting.ts';
import { cleanViews } from '../finetune/finetune-settings.ts';
import { type LossName, namedLoss } from '../model/heads/loss-table.ts';
import { isFor, type Mode, modeNames } from './modes.ts';

type Given = Readonly<Record<string, unknown>>;
type Table = Readonly<Record<string, Setting>>;

/** `--arch`, `--arch and --dropout`, `--arch, --dropout and --device` */
function flagList(names: readonly string[]): string {
  const flags = names.map((name) => `--${flagOf(name)}`);
  return flags.length < 2 ? flags.join() : `${flags.slice(0, -1).join(', ')} and ${flags.at(-1)}`;
}

/**
 * @param given - settings by name; unknown ones are ignored
 * @throws {ConfigError} naming every setting that does not apply to the mode, with a remedy
 */
export function expectApplicable(
  given: Given,
  table: Table,
  { mode, processes }: { readonly mode: Mode; readonly processes: boolean },
): void {
  const others = Object.keys(given).filter((name) => table[name] && !isFor(table[name], mode, processes));
  const [first] = others;
  if (first === undefined) return;
  const kinds = new Set(others.map((name) => String(table[name]!.onlyFor)));
  const kind = kinds.size === 1 ? [...kinds][0]! : undefined;
  const [apply, them] = others.length === 1 ? ['applies', 'it'] : ['apply', 'them'];
  const which = kind === undefined ? 'which apply only to other modes' : `which ${apply} only to ${onlyTo[kind]}`;
  const remedy = kind === undefined ? '' : remedyOf(kind, mode, String(given['init']));
  throw new ConfigError(flagOf(first), {
    expected: `settings for ${modeNames[mode]}`,
    received: `${flagList(others)}, ${which}`,
    remedy: `leave ${them} out${remedy}`,
  });
}

const onlyTo: Readonly<Record<string, string>> = {
  network: 'training a network of --arch',
  single: 'training a network of --arch in one process',
  onnx: modeNames.onnx,
  processes: modeNames.processes,
};

function remedyOf(kind: string, mode: Mode, init: string): string {
  if (kind === 'processes') return ', or add --nproc';
  if (kind !== 'onnx') return '';
  return mode === 'nothing'
    ? ', or name the model with --init'
    : `, or finetune these weights as an ONNX model: magface convert ${init} MODEL.onnx`;
}

/**
 * @param given - the user's settings @param config - the same with defaults
 * @throws {ConfigError} if a setting has no effect with the others, or contradicts one
 */
export function expectConsistent(given: Given, config: Given, table: Table): void {
  expectMet(given, config, table);
  expectLossConstants(config);
  expectSoftmax(config);
  expectRecipe(given);
  expectDegraded(given, config);
  expectParts(config);
  expectDamagedViews(given, config);
  expectLine(config);
  expectOrder(config, 'lowerMagnitude', 'upperMagnitude');
  if (config['lowerMargin'] !== config['upperMargin']) expectOrder(config, 'lowerMargin', 'upperMargin');
}

/** Chosen by `--recipe auto`; setting one of them turns the recipe off. */
export const chosenByRecipe: readonly string[] = [
  'lowerMagnitude',
  'upperMagnitude',
  'lowerMargin',
  'upperMargin',
  'lambdaG',
];

function expectLossConstants({ loss, lossConstants }: Given): void {
  if (lossConstants === undefined) return;
  if (loss !== 'magface') return void namedLoss(loss as LossName, lossConstants as readonly string[]);
  throw new ConfigError('loss-constants', {
    expected: 'a --loss other than magface for --loss-constants',
    received: 'magface',
    remedy: 'use its own settings, such as --lambda-g',
  });
}

function expectSoftmax({ loss, labelSmoothing }: Given): void {
  if (loss !== 'uniface' || !labelSmoothing) return;
  throw new ConfigError('label-smoothing', {
    expected: '--label-smoothing with a loss over a softmax',
    received: '--loss uniface, which decides for each class alone',
    remedy: 'leave one of them out',
  });
}

function expectRecipe(given: Given): void {
  const constants = chosenByRecipe.filter((name) => given[name] !== undefined);
  if (given['recipe'] !== 'auto' || constants.length === 0) return;
  throw new ConfigError('recipe', {
    expected: `--recipe given with ${flagList(constants)}`,
    received: 'auto, which chooses them itself',
    remedy: 'leave out one or the other',
  });
}

/** Settings without effect if no face is degraded. */
const degradeDetails: readonly string[] = ['degradeStrength', 'degradeKinds'];

/** Whether the setting says how faces are degraded, and none are. */
export const isOfNoDamage = (name: string, config: Given): boolean =>
  degradeDetails.includes(name) && config['degrade'] === 0;

function expectDegraded(given: Given, config: Given): void {
  const useless = degradeDetails.filter((name) => given[name] !== undefined);
  if (config['degrade'] !== 0 || useless.length === 0) return;
  throw new ConfigError('degrade', {
    expected: `--degrade above 0 for ${flagList(useless)}`,
    received: '0',
    remedy: 'raise --degrade, or leave the others out',
  });
}

function expectParts({ batchSize, accumulate, sampleRate }: Given): void {
  if (accumulate === 1 || accumulate === undefined) return;
  if (Number(batchSize) % Number(accumulate) !== 0)
    throw new ConfigError('accumulate', {
      expected: 'a --batch-size that --accumulate divides',
      received: `${batchSize} and ${accumulate}`,
      remedy: 'change one of them',
    });
  if (sampleRate !== 1)
    throw new ConfigError('accumulate', {
      expected: '--sample-rate 1 for --accumulate',
      received: String(sampleRate),
      remedy: 'leave one of them out',
    });
}

function expectDamagedViews(given: Given, config: Given): void {
  const views = Number(config['views']);
  const useless = ['degrade', 'degradeStrength', 'degradeKinds'].filter((name) => given[name] && config[name] !== 0);
  if (views > cleanViews || useless.length === 0) return;
  throw new ConfigError('views', {
    expected: `--views over ${cleanViews} for ${flagList(useless)}`,
    received: `${views}, the face and its mirror image`,
    remedy: 'raise --views, or leave the others out',
  });
}

/** Weights of a new BatchNorm have no counterpart in the initial model, with which they could be averaged. */
function expectLine({ startShare, freshBatchNorm }: Given): void {
  if (startShare === 0 || freshBatchNorm !== true) return;
  throw new ConfigError('start-share', {
    expected: '--start-share 0 with --fresh-batch-norm, whose weights the initial model lacks,',
    received: 'another',
    remedy: 'leave out one or the other',
  });
}

function expectOrder(config: Given, low: string, high: string): void {
  if (Number(config[low]) < Number(config[high])) return;
  throw new ConfigError(flagOf(low), {
    expected: `--${flagOf(low)} below --${flagOf(high)}`,
    received: `${config[low]} and ${config[high]}`,
    remedy: 'lower the first or raise the second',
  });
}
