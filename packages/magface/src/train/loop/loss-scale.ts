/** A loss scale as a checkpoint carries it. */
export interface LossScaleState {
  readonly value: number;
  /** Steps since it last changed. */
  readonly steps: number;
}

const patience = 2000;

/**
 * The factor by which the loss is multiplied before backward, so that small gradients do not vanish in float16: halved
 * when a step overflows, doubled after 2000 that did not, as PyTorch does it. With ranks all decide alike, since they
 * agree on every step that is left out.
 */
export class LossScale {
  #state: LossScaleState;

  /** @param value - to begin with @default 65536 */
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

  /** @param isSkipped - whether the step was left out */
  update(isSkipped: boolean): void {
    const { value, steps } = this.#state;
    if (isSkipped) this.#state = { value: value / 2, steps: 0 };
    else this.#state = steps + 1 < patience ? { value, steps: steps + 1 } : { value: value * 2, steps: 0 };
  }
}
