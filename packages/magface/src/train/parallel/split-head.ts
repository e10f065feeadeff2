/**
 * Splits class centers over ranks by class, so that any number of classes fits.
 *
 * Every rank gathers the features of the whole batch as a leaf, and computes the logits of its classes with margin;
 * splitSoftmax gives their gradient. Backward propagates it to the rank's centers and to the leaf. Summed over ranks, the
 * leaf's gradient is that of all classes for each feature, also through m(a) where another rank has the own center. Its rows
 * are then returned to the ranks of their features. The term g(a) depends on one sample only and is added there.
 */
import {
  type Device,
  fromArray,
  Generator,
  gradients,
  matmul,
  noGrad,
  normalize,
  type ProcessGroup,
  Sgd,
  type SgdOptions,
  scope,
  type Tensor,
  where,
  zeros,
} from '@magface/torch';
import { ConfigError } from '../../errors.ts';
import { float32Tensor, type Tensor as StoredTensor, toFloat32 } from '../../format/tensor.ts';
import { centersName, type Head, type HeadLoss, storedTensor, velocitiesName } from '../model/head.ts';
import {
  heldMagnitudes,
  type MagFaceConstants,
  type MagFaceOptions,
  magfaceDefaults,
  margin,
  regularizer,
  withMargin,
} from '../model/magface-loss.ts';
import { allClasses, sampleClasses } from './sampled-classes.ts';
import { gatherRows, type Share, shareOf } from './shares.ts';
import { splitSoftmax } from './split-softmax.ts';

export interface SplitHeadOptions {
  readonly loss: MagFaceOptions;
  readonly seed: number;
  /** Device of the centers. @default 'cpu' */
  readonly device?: Device;
  /** Share of classes sampled per step (Partial FC). @default 1 */
  readonly sampleRate?: number;
}

export class SplitHead implements Head {
  readonly name: string = centersName;
  readonly isSplit: boolean = true;
  /** (K_r, D): one row per class, so that each center is contiguous. */
  readonly centers: Tensor;
  /** (K_r, D) */
  readonly velocities: Tensor;
  /** This rank's classes. */
  readonly share: Share;
  readonly #group: ProcessGroup;
  readonly #constants: MagFaceConstants;
  readonly #options: SplitHeadOptions;
  #optimizer: Sgd;
  #rows: Tensor | undefined;

  /** @throws {ConfigError} if there are more ranks than classes: a rank without classes has no logits */
  constructor(group: ProcessGroup, dimension: number, classes: number, options: SplitHeadOptions) {
    if (classes < group.size) {
      const message = `Expected at most one process for each of the ${classes} classes but there are ${group.size}: lower --nproc.`;
      throw new ConfigError('nproc', message);
    }
    this.#group = group;
    this.#options = options;
    this.#constants = { ...magfaceDefaults, ...options.loss };
    this.share = shareOf(classes, group);
    this.centers = initialRows(dimension, this.share, options.seed).to({ device: options.device ?? 'cpu' });
    this.centers.requiresGrad = true;
    this.#optimizer = new Sgd([this.centers]);
    this.velocities = this.#optimizer.velocities[0]!;
  }

  backward(features: Tensor, labels: Tensor, lossScale: number, step: number): HeadLoss {
    const constants = this.#constants;
    const total = labels.size(0);
    const mine = shareOf(total, this.#group);
    const whole = gatherRows(this.#group, features.detach(), total); // (N, D)
    whole.requiresGrad = true;
    const { active, isHere, own } = this.#takePart(labels, step);

    const a = heldMagnitudes(whole, constants); // (N, 1)
    const m = margin(a, constants); // (N, 1)
    const cosines = matmul(normalize(whole, 1), normalize(active, 1).t()); // (N, K_s)
    const plain = cosines.gather(1, own); // (N, 1)
    const target = where(isHere, withMargin(plain, m, constants), plain);
    const logits = cosines.scatter(1, own, target).mul(constants.scale); // (N, K_s)

    const softmax = splitSoftmax(this.#group, { logits, cosines, isHere, own });
    logits.backward(softmax.gradient.mul_(lossScale));
    const asked = this.#group.allReduce(whole.grad!).narrow(0, mine.first, mine.count); // (n, D)
    features.backward(asked.add(pull(features, (constants.lambdaG * lossScale) / total, constants)));

    using _ = noGrad();
    const lossG = regularizer(a, constants).mean().item();
    const { identity: lossId, accuracy } = softmax;
    const loss = lossId + constants.lambdaG * lossG;
    return { loss, lossId, lossG, accuracy, magnitudes: a, margins: m, cosines: softmax.cosines };
  }

  gradientNorm(): number {
    using _ = scope();
    const squares = fromArray(Float64Array.of(this.#optimizer.gradientNorms()[0]! ** 2));
    return Math.sqrt(this.#group.allReduce(squares).item());
  }

  /** Centers that are not sampled keep their velocity. */
  step(options: SgdOptions): void {
    this.#optimizer.step(options);
    if (this.#rows === undefined) return;
    using _ = noGrad();
    this.centers.indexCopy_(0, this.#rows, this.#optimizer.parameters[0]!.detach());
    this.velocities.indexCopy_(0, this.#rows, this.#optimizer.velocities[0]!);
  }

  save(): Map<string, StoredTensor> {
    using _ = scope();
    const columns = (rows: Tensor): StoredTensor =>
      float32Tensor([rows.size(1), rows.size(0)], rows.detach().t().contiguous().toArray() as Float32Array);
    return new Map([
      [centersName, columns(this.centers)],
      [velocitiesName, columns(this.velocities)],
    ]);
  }

  restore(tensors: ReadonlyMap<string, StoredTensor>, file: string): void {
    using _scope = scope();
    using _noGrad = noGrad();
    const { first, count, total } = this.share;
    const shape = [this.centers.size(1), total];
    const named = { [centersName]: this.centers, [velocitiesName]: this.velocities };
    for (const [name, tensor] of Object.entries(named)) {
      const stored = toFloat32(storedTensor(tensors, { name, shape, file }));
      tensor.copy_(fromArray(stored, shape).narrow(1, first, count).t());
    }
  }

  /** @returns (K_s, D): the sampled centers as a leaf, and the position of each sample's own center */
  #takePart(labels: Tensor, step: number): { active: Tensor; isHere: Tensor; own: Tensor } {
    const values = labels.toArray() as BigInt64Array;
    const { sampleRate: rate = 1, seed } = this.#options;
    const { rank } = this.#group;
    const { isHere, own, rows } = {
      rows: undefined,
      ...(rate < 1 ? sampleClasses(values, this.share, { rate, seed, rank, step }) : allClasses(values, this.share)),
    };
    const active = this.#activate(rows);
    const { device } = active;
    const column = (of: typeof isHere | typeof own): Tensor => fromArray(of, [values.length, 1]);
    return { active, isHere: column(isHere).to({ dtype: 'bool', device }), own: column(own).to({ device }) };
  }

  /** The optimizer holds only the velocities of the sampled centers. */
  #activate(rows: BigInt64Array | undefined): Tensor {
    if (rows === undefined) {
      this.#optimizer.zeroGrad();
      return this.centers;
    }
    using _ = noGrad();
    this.#rows = fromArray(rows).to({ device: this.centers.device });
    const centers = this.centers.detach().indexSelect(0, this.#rows);
    centers.requiresGrad = true;
    this.#optimizer = new Sgd([centers], [this.velocities.indexSelect(0, this.#rows)]);
    return centers;
  }
}

/** (n, D): the gradient of `weight` · Σ g(a). */
function pull(features: Tensor, weight: number, constants: MagFaceConstants): Tensor {
  const local = features.detach();
  local.requiresGrad = true;
  return gradients(regularizer(heldMagnitudes(local, constants), constants).sum().mul(weight), [local])[0]!;
}

/** (K_r, D): the rank's columns of what one process would draw for all classes, drawn one class at a time. */
function initialRows(dimension: number, { first, count, total }: Share, seed: number): Tensor {
  using all = scope();
  using _ = noGrad();
  const generator = new Generator(seed);
  const columns = zeros([dimension, count]);
  for (let d = 0; d < dimension; d++) {
    using _row = scope();
    const drawn = zeros([total]).uniform_({ from: -1, to: 1, generator });
    columns.narrow(0, d, 1).copy_(drawn.narrow(0, first, count).unsqueeze(0));
  }
  return all.keep(
    columns
      .div(columns.norm(2, 0, { keepdim: true }))
      .t()
      .contiguous(),
  );
}
