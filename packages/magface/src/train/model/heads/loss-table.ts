/**
 * The losses of `--loss`: their papers and constants with defaults. It needs no libtorch, so that settings can be read
 * without it; open-head.ts has the formulas.
 */
import { ConfigError } from '../../../errors.ts';

/**
 * Every loss beside MagFace, which has settings of its own: an arXiv id, or where the paper appeared, and its constants under
 * the paper's letters.
 */
export const lossTable = {
  arcface: { paper: 'arXiv 1801.07698', constants: { s: 64, m: 0.5 } },
  cosface: { paper: 'arXiv 1801.09414', constants: { s: 64, m: 0.35 } },
  adaface: { paper: 'arXiv 2204.00964', constants: { s: 64, m: 0.4, h: 0.333, alpha: 0.01 } },
  'elasticface-arc': { paper: 'arXiv 2109.09416', constants: { s: 64, m: 0.5, sigma: 0.05 } },
  'elasticface-cos': { paper: 'arXiv 2109.09416', constants: { s: 64, m: 0.35, sigma: 0.05 } },
  curricularface: { paper: 'arXiv 2004.00288', constants: { s: 64, m: 0.5, alpha: 0.01 } },
  'am-softmax': { paper: 'arXiv 1801.05599', constants: { s: 30, m: 0.35 } },
  'adam-softmax': { paper: 'AdaptiveFace, CVPR 2019', constants: { s: 30, lambda: 70 } },
  adacos: { paper: 'arXiv 1905.00292', constants: {} },
  'mv-softmax-am': { paper: 'arXiv 1912.00833', constants: { s: 32, m: 0.35, t: 1.12 } },
  'mv-softmax-arc': { paper: 'arXiv 1912.00833', constants: { s: 32, m: 0.5, t: 1.12 } },
  circleloss: { paper: 'arXiv 2002.10857', constants: { gamma: 256, m: 0.25 } },
  npcface: { paper: 'arXiv 2007.10172', constants: { s: 64, m: 0.5, m0: 0.4, m1: 0.2, t: 1.1, alpha: 0.2 } },
  uniface: { paper: 'UniFace, ICCV 2023', constants: { s: 64, m: 0.4 } },
} as const;

/** A loss beside MagFace. */
export type LossName = keyof typeof lossTable;

export const lossNames: readonly LossName[] = Object.keys(lossTable) as LossName[];

/** A loss by its name. */
export interface NamedLoss {
  readonly name: LossName;
  /** Those that differ from the defaults, under the paper's letters. @default none */
  readonly constants?: Readonly<Record<string, number>>;
}

/** The constants of a loss, all with values. */
export type ConstantsOf<Name extends LossName> = {
  readonly [Key in keyof (typeof lossTable)[Name]['constants']]: number;
};

/** @throws {ConfigError} naming a constant that the loss does not have */
export function constantsOf({ name, constants = {} }: NamedLoss): Readonly<Record<string, number>> {
  const defaults: Readonly<Record<string, number>> = lossTable[name].constants;
  const unknown = Object.keys(constants).find((key) => defaults[key] === undefined);
  if (unknown === undefined) return { ...defaults, ...constants };
  const known = Object.entries(defaults).map(([key, value]) => `${key}=${value}`);
  const expected = known.length === 0 ? `no constants for ${name}` : `constants of ${name} (${known.join(' ')})`;
  throw new ConfigError('loss-constants', { expected, received: unknown, remedy: 'leave it out' });
}

/**
 * Reads `--loss-constants`.
 *
 * @param words - such as `m=0.4`
 * @throws {ConfigError} if a word is not of this form, or names a constant that the loss does not have
 */
export function namedLoss(name: LossName, words: readonly string[] = []): NamedLoss {
  const constants = Object.fromEntries(
    words.map((word) => {
      const [, key, value] = /^(\w+)=(\S+)$/.exec(word) ?? [];
      if (key !== undefined && Number.isFinite(Number(value))) return [key, Number(value)];
      throw new ConfigError('loss-constants', {
        expected: 'constants such as m=0.4',
        received: word,
        remedy: 'write a name, = and a number',
      });
    }),
  );
  return { name, constants: constantsOf({ name, constants }) };
}
