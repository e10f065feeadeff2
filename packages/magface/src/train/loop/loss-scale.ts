/** The loss scale's state in a checkpoint. */
export interface LossScaleState {
  readonly value: number;
  /** Steps since it last changed. */
  readonly steps: number;
}

const patience = 2000;

/**
 * The factor on the loss before the backward pass, which keeps small gradients from vanishing in float16. It is halved when
 * a step overflows and doubled after 2000 steps without overflow, as in PyTorch. All ranks have the same scale, since they
 * agree on every skipped step.
 */
export class LossScale {
  #state: LossScaleState;

  /** @param value - initial scale @default 65536 */
  constructor(value: number = 2 ** 16) {
    this.#state = { value, steps: 0 };
  }

  get value(): number {
    return this.#state.value;
  }

  get state(): LossScaleState {
    return this.#state;
  }
  set state(state: LossScaleState) {
    this.#state = state;
  }

  /** @param isSkipped - whether the step was skipped */
  update(isSkipped: boolean): void {
    const { value, steps } = this.#state;
    if (isSkipped) this.#state = { value: value / 2, steps: 0 };
    else this.#state = steps + 1 < patience ? { value, steps: steps + 1 } : { value: value * 2, steps: 0 };
  }
}
