/** Trains the network of `covered-parts.ts`: cross-entropy, Adam, cosine decay, in plain float64 and one thread. */
import { type CoverNetwork, grid, leak } from '../../packages/magface/src/covered-parts.ts';
import { randomStream } from '../../packages/magface/src/random.ts';

export interface Example {
  /** (484) */
  readonly input: Float32Array;
  /** (3) 1 for covered parts. */
  readonly covered: readonly number[];
}

const [units, inputs, outputs, batch] = [24, grid.across * grid.down, 3, 128] as const;
const [rate, decay, firstMoment, secondMoment] = [0.002, 0.001, 0.9, 0.999] as const;

/** A matrix with its gradient and Adam's moments. */
function parameter(length: number, draw: () => number) {
  const zeros = (): Float32Array => new Float32Array(length);
  return { value: Float32Array.from({ length }, draw), gradient: zeros(), first: zeros(), second: zeros() };
}
type Parameter = ReturnType<typeof parameter>;

export function trainCovers(
  examples: readonly Example[],
  { epochs, seed }: { epochs: number; seed: number },
): CoverNetwork {
  const random = randomStream(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const w = parameter(units * inputs, () => normal() / Math.sqrt(inputs));
  const b = parameter(units, () => 0);
  const v = parameter(outputs * units, () => normal() / Math.sqrt(units));
  const c = parameter(outputs, () => -2);
  const order = Uint32Array.from(examples, (_, i) => i);
  const steps = epochs * Math.floor(examples.length / batch);
  const [sums, values] = [new Float32Array(units), new Float32Array(units)];
  let step = 0;
  for (let epoch = 0; epoch < epochs; epoch++) {
    shuffle(order, random);
    for (let from = 0; from + batch <= order.length; from += batch) {
      for (let i = from; i < from + batch; i++) {
        const { input, covered } = examples[order[i]!]!;
        for (let unit = 0; unit < units; unit++) {
          let sum = b.value[unit]!;
          for (let k = 0; k < inputs; k++) sum += w.value[unit * inputs + k]! * input[k]!;
          sums[unit] = sum;
          values[unit] = sum > 0 ? sum : leak * sum;
        }
        const errors = Array.from({ length: outputs }, (_, part) => {
          let logit = c.value[part]!;
          for (let unit = 0; unit < units; unit++) logit += v.value[part * units + unit]! * values[unit]!;
          return (1 / (1 + Math.exp(-logit)) - covered[part]!) / batch;
        });
        for (let unit = 0; unit < units; unit++) {
          let back = 0;
          for (let part = 0; part < outputs; part++) {
            back += errors[part]! * v.value[part * units + unit]!;
            v.gradient[part * units + unit]! += errors[part]! * values[unit]!;
          }
          if (sums[unit]! <= 0) back *= leak;
          b.gradient[unit]! += back;
          for (let k = 0; k < inputs; k++) w.gradient[unit * inputs + k]! += back * input[k]!;
        }
        for (let part = 0; part < outputs; part++) c.gradient[part]! += errors[part]!;
      }
      step++;
      const lr = (rate / 2) * (1 + Math.cos((Math.PI * step) / steps));
      for (const [of, shrink] of [
        [w, decay],
        [v, decay],
        [b, 0],
        [c, 0],
      ] as const)
        adam(of, { lr, shrink, step });
    }
  }
  return { hidden: w.value, biases: b.value, outputs: v.value, outputBiases: c.value };
}

function adam(
  { value, gradient, first, second }: Parameter,
  { lr, shrink, step }: { lr: number; shrink: number; step: number },
): void {
  const [one, two] = [1 - firstMoment ** step, 1 - secondMoment ** step];
  for (let i = 0; i < value.length; i++) {
    const g = gradient[i]!;
    first[i] = firstMoment * first[i]! + (1 - firstMoment) * g;
    second[i] = secondMoment * second[i]! + (1 - secondMoment) * g * g;
    value[i]! -= lr * (first[i]! / one / (Math.sqrt(second[i]! / two) + 1e-8) + shrink * value[i]!);
  }
  gradient.fill(0);
}

function shuffle(order: Uint32Array, random: () => number): void {
  for (let i = order.length - 1; i > 0; i--) {
    const other = Math.floor((i + 1) * random());
    [order[i], order[other]] = [order[other]!, order[i]!];
  }
}
