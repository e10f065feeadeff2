/** Skips steps with a loss or gradient that is not finite: reports why and how often, and ends the run after too many. */
import type { Tensor } from '@magface/torch';
import { MagfaceError } from '../../errors.ts';
import type { Sample } from '../data/samples.ts';

/** A step that changed nothing because a value was not finite. */
export interface SkippedStep {
  readonly reason: string;
  /** The first sample of the batch with features that are not finite. */
  readonly sample: number | undefined;
}

/** The values that are checked once a step has its gradients. */
export interface StepValues {
  readonly loss: number;
  /** L2 norms of the gradients, by the names of the trained tensors. */
  readonly norms: ReadonlyMap<string, number>;
  /** (n, D): features of the batch, or of this process's share. */
  readonly features: Tensor;
  /** Maps the first row in this process's share to the first in the batch. @default the share is the batch */
  readonly firstOfBatch?: (row: number | undefined) => number | undefined;
}

/** @returns undefined when all is finite, else the first sample and the first tensor that are not */
export function whyNotFinite({ loss, norms, features, firstOfBatch }: StepValues): SkippedStep | undefined {
  const tensor = [...norms].find(([, norm]) => !Number.isFinite(norm))?.[0];
  if (Number.isFinite(loss) && tensor === undefined) return undefined;
  const row = (features.norm(2, 1).toArray() as Float32Array).findIndex((norm) => !Number.isFinite(norm));
  const own = row < 0 ? undefined : row;
  const sample = firstOfBatch === undefined ? own : firstOfBatch(own);
  const where = [
    ...(sample === undefined ? [] : [`the features of sample ${sample} of the batch`]),
    ...(tensor === undefined ? [] : [`the gradient of ${tensor}`]),
  ];
  const what = where.join(' and ') || 'only the loss';
  return { reason: `Expected finite values but the loss is ${loss}; first not finite: ${what}.`, sample };
}

/** Maximum number of consecutive skipped steps. */
const patience = 10;

/** Counts and reports the steps that a run skips. */
export class SkipCounter {
  /** Total for the whole run, including before resuming. */
  total: number;
  #inARow = 0;
  readonly #onNote: (line: string) => void;

  constructor(total: number, onNote: (line: string) => void = () => {}) {
    this.total = total;
    this.#onNote = onNote;
  }

  /**
   * @param step - total steps done
   * @param samples - the samples of the batch
   * @param checkpoint - where to resume. @default none was written
   * @throws {MagfaceError} `training_diverged` at the tenth consecutive skipped step
   */
  add(
    step: number,
    skipped: SkippedStep | undefined,
    { samples, checkpoint }: { readonly samples: readonly Sample[]; readonly checkpoint: string | undefined },
  ): void {
    if (skipped === undefined) {
      this.#inARow = 0;
      return;
    }
    this.total++;
    this.#inARow++;
    const { reason, sample } = skipped;
    const which = sample === undefined ? '' : ` The sample is ${samples[sample]?.path}.`;
    this.#onNote(`Step ${step} is skipped. ${reason}${which}`);
    if (this.#inARow < patience) return;
    const from = checkpoint ?? 'the beginning, because no checkpoint was written yet';
    throw new MagfaceError('training_diverged', {
      expected: 'finite losses',
      problem: `${patience} steps in a row had none`,
      remedy: `lower --lr or --scale, and continue from ${from}`,
    });
  }
}
