/** The learning rate over the run: a pure function of the position, so resuming needs no state. */

/** When and how the learning rate falls. */
export interface ScheduleOptions {
  /** `drops`: times `dropRatio` at each of `dropEpochs`; the others decay from `lr` to 0 over the run. @default 'drops' */
  readonly schedule: 'drops' | 'cosine' | 'polynomial';
  /** Learning rate after the warm-up. `--lr` @default 0.1 */
  readonly lr: number;
  /** Epochs, from 0, at whose start it drops. `--lr-drop-epoch` @default [10, 18, 22] */
  readonly dropEpochs: readonly number[];
  /** `--lr-drop-ratio` @default 0.1 */
  readonly dropRatio: number;
  /** Epochs of linear warm-up; may be a fraction. @default 0 */
  readonly warmupEpochs: number;
  /** Exponent of `polynomial`. @default 2 */
  readonly power: number;
  /** Length of the run in epochs. `--epochs` @default 25 */
  readonly epochs: number;
}

/**
 * @param step - within the epoch, from 0
 * @param stepsPerEpoch - number of steps in an epoch
 */
export function learningRate(epoch: number, step: number, stepsPerEpoch: number, options: ScheduleOptions): number {
  const done = epoch + step / stepsPerEpoch; // epochs
  const { lr, warmupEpochs } = options;
  if (done < warmupEpochs) return (lr * (done + 1 / stepsPerEpoch)) / (warmupEpochs + 1 / stepsPerEpoch);
  return lr * factor(epoch, (done - warmupEpochs) / (options.epochs - warmupEpochs), options);
}

/** @param progress - completed fraction of the run after the warm-up, 0 to 1 */
function factor(epoch: number, progress: number, options: ScheduleOptions): number {
  switch (options.schedule) {
    case 'drops':
      return options.dropRatio ** options.dropEpochs.filter((drop) => drop <= epoch).length;
    case 'cosine':
      return (1 + Math.cos(Math.PI * progress)) / 2;
    case 'polynomial':
      return (1 - progress) ** options.power;
  }
}
