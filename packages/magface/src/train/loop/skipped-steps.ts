/** A step whose loss or gradient is not finite is left out: why, how often, and when the run gives up. */
import type { Tensor } from '@magface/torch';
import { MagfaceError } from '../../errors.ts';
import type { Sample } from '../data/samples.ts';

/** A step that changed nothing, because something was not finite. */
export interface SkippedStep {
  readonly reason: string;
  /** The first sample of the batch whose features were not finite. */
  readonly sample: number | undefined;
}

/** What is looked at after a step's gradients are there. */
export interface StepValues {
  readonly loss: number;
  /** L2 norms of the gradients by the names of what was trained. */
  readonly norms: ReadonlyMap<string, number>;
  /** (n, D): of the batch, or of this process's share of it. */
  readonly features: Tensor;
  /** Finds the first of the batch from the first of this process's share. @default the share is the batch */
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
  const what = where.join(' and ') || 'the loss alone';
  return { reason: `Expected finite values but the loss is ${loss}; first not finite: ${what}.`, sample };
}

/** Steps in a row that may be left out before the run gives up. */
const patience = 10;

/** Counts the steps that a run leaves out, and names them. */
export class SkipCounter {
  /** In the whole run, also before it was resumed. */
  total: number;
  #inARow = 0;
  readonly #onNote: (line: string) => void;

  constructor(total: number, onNote: (line: string) => void = () => {}) {
    this.total = total;
    this.#onNote = onNote;
  }

  /**
   * @param step - done in all
   * @param samples - those of the batch
   * @param checkpoint - what to go on from. @default none was written
   * @throws {MagfaceError} `training_diverged` at the tenth step in a row
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
    this.#onNote(`Step ${step} is left out. ${reason}${which}`);
    if (this.#inARow < patience) return;
    const from = checkpoint ?? 'the beginning, as no checkpoint was written yet';
    throw new MagfaceError(
      'training_diverged',
      `Expected finite losses but ${patience} steps in a row had none: lower --lr or --scale, and go on from ${from}.`,
    );
  }
}
