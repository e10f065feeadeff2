/**
 * The MagFace loss: an angular margin that grows with the feature's magnitude a, and a pull toward large a.
 *
 *     L = mean_i CE(s · logit_i, y_i) + λ_g · mean_i g(a_i),     a_i = ‖f_i‖ clamped to [l_a, u_a]
 *
 *     logit of the own class   Mag-ArcFace: cos(θ + m(a))   Mag-CosFace: cos θ − m(a)
 *     logit of any other       cos θ
 *     m(a) = l_m + (u_m − l_m) · (a − l_a) / (u_a − l_a)
 *     g(a) = a / u_a² + 1 / a
 *
 * ArcFace and CosFace are the case l_m = u_m, λ_g = 0.
 *
 * @see Meng et al., CVPR 2021, arXiv 2103.06627; official models/magface.py: MagLinear, MagLoss
 */
import { crossEntropy, matmul, normalize, type Tensor, where } from '@magface/torch';
import { ShapeError } from '../../errors.ts';

/** The constants of the loss, under the paper's names. */
export interface MagFaceOptions {
  /** `angular`: Mag-ArcFace; `cosine`: Mag-CosFace. @default 'angular' */
  readonly margin?: 'angular' | 'cosine';
  /** l_a: magnitudes below count as this. `--l_a` @default 10 */
  readonly lowerMagnitude?: number;
  /** u_a. `--u_a` @default 110 */
  readonly upperMagnitude?: number;
  /** l_m, in radians for `angular`. `--l_margin` @default 0.45 */
  readonly lowerMargin?: number;
  /** u_m. `--u_margin` @default 0.8 */
  readonly upperMargin?: number;
  /** λ_g. `--lambda_g` @default 35 */
  readonly lambdaG?: number;
  /** s. `--arc-scale` @default 64 */
  readonly scale?: number;
  /** Angular margin beyond 90°: left out (easy), or continued by a line past θ + m = 180° (hard). @default true */
  readonly easyMargin?: boolean;
}

/** The complete options, with all values. */
export type MagFaceConstants = Required<MagFaceOptions>;

/** The official script's constants (run.sh). */
export const magfaceDefaults: MagFaceConstants = {
  margin: 'angular',
  lowerMagnitude: 10,
  upperMagnitude: 110,
  lowerMargin: 0.45,
  upperMargin: 0.8,
  lambdaG: 35,
  scale: 64,
  easyMargin: true,
};

/** The loss and its parts. */
export interface MagFaceLoss {
  /** L, one value. */
  readonly total: Tensor;
  /** Mean cross-entropy, one value. */
  readonly identity: Tensor;
  /** Mean of g(a), without λ_g, one value. */
  readonly regularizer: Tensor;
  /** (N, K): cos θ without margin, for accuracy. */
  readonly cosines: Tensor;
  /** (N, 1): a. */
  readonly magnitudes: Tensor;
  /** (N, 1): m(a). */
  readonly margins: Tensor;
}

/**
 * @param features - (N, D) float32: f, not normalized
 * @param centers - (D, K) float32: one class center a column, not normalized
 * @param labels - (N) int64, each in [0, K)
 * @throws {ShapeError} if they disagree on N or D
 */
export function magfaceLoss(
  features: Tensor,
  centers: Tensor,
  labels: Tensor,
  options: MagFaceOptions = {},
): MagFaceLoss {
  const constants = { ...magfaceDefaults, ...options };
  expectShapes(features.shape, centers.shape, labels.shape);

  const a = heldMagnitudes(features, constants); // (N, 1)
  const m = margin(a, constants); // (N, 1)

  const cos = matmul(normalize(features, 1), normalize(centers, 0)); // (N, K)
  const own = labels.unsqueeze(1); // (N, 1)
  const target = withMargin(cos.gather(1, own), m, constants); // (N, 1)
  const logits = cos.scatter(1, own, target).mul(constants.scale); // (N, K)

  const identity = crossEntropy(logits, labels);
  const g = regularizer(a, constants).mean();
  const total = identity.add(g.mul(constants.lambdaG));
  return { total, identity, regularizer: g, cosines: cos, magnitudes: a, margins: m };
}

/** a = ‖f‖ clamped to [l_a, u_a], (N, 1). */
export function heldMagnitudes(features: Tensor, constants: MagFaceConstants): Tensor {
  return clampMagnitudes(features.norm(2, 1, { keepdim: true }), constants);
}

/** a from ‖f‖, both (N, 1). */
export function clampMagnitudes(norms: Tensor, { lowerMagnitude, upperMagnitude }: MagFaceConstants): Tensor {
  return norms.clamp({ min: lowerMagnitude, max: upperMagnitude });
}

/** m(a): linear from l_m at l_a to u_m at u_a. */
export function margin(a: Tensor, constants: MagFaceConstants): Tensor {
  const { lowerMagnitude: la, lowerMargin: lm } = constants;
  return a.sub(la).mul(marginSlope(constants)).add(lm);
}

/** m(a) of one magnitude, for pictures. */
export const marginAt = (a: number, constants: MagFaceConstants): number =>
  constants.lowerMargin + marginSlope(constants) * (a - constants.lowerMagnitude);

/** g(a) = a / u_a² + 1 / a: decreases up to u_a, so that it pulls magnitudes up. */
export function regularizer(a: Tensor, { upperMagnitude: ua }: MagFaceConstants): Tensor {
  return a.mul(1 / ua ** 2).add(a.reciprocal());
}

/** Below this, sin²θ counts as constant: the slope of sqrt is infinite at 0, and infinity times 0 is NaN. */
const leastSquaredSine = 1e-7;

/** cos θ of the own class to its logit, both (N, 1). */
export function withMargin(cosine: Tensor, m: Tensor, { margin: kind, easyMargin }: MagFaceConstants): Tensor {
  if (kind === 'cosine') return cosine.sub(m);
  const cos = cosine.clamp({ min: -1, max: 1 });
  const sin = cos.square().neg().add(1).clamp({ min: leastSquaredSine }).sqrt();
  const cosPlusMargin = cos.mul(m.cos()).sub(sin.mul(m.sin())); // cos(θ + m)
  if (easyMargin) return where(cos.gt(0), cosPlusMargin, cos); // only below 90°
  const straightOn = cos.sub(m.mul(m.sin())); // where θ + m is past 180°; sin(π − m) = sin m
  return where(cos.gt(m.cos().neg()), cosPlusMargin, straightOn); // cos(π − m) = −cos m
}

const marginSlope = ({ lowerMagnitude, upperMagnitude, lowerMargin, upperMargin }: MagFaceConstants): number =>
  (upperMargin - lowerMargin) / (upperMagnitude - lowerMagnitude);

/**
 * The minimum λ_g that guarantees an optimum inside (l_a, u_a]: s·k·u_a²·l_a² / (u_a² − l_a²), where k
 * is the slope of m.
 * @see the paper's section 3.2 and its appendix
 */
export function leastLambdaG(constants: MagFaceConstants): number {
  const [la2, ua2] = [constants.lowerMagnitude ** 2, constants.upperMagnitude ** 2];
  return (constants.scale * marginSlope(constants) * ua2 * la2) / (ua2 - la2);
}

/** @throws {ShapeError} if they disagree on N or D */
export function expectShapes(features: readonly number[], centers: readonly number[], labels: readonly number[]): void {
  const [n, d] = features;
  const agree = features.length === 2 && centers.length === 2 && labels.length === 1;
  if (agree && centers[0] === d && labels[0] === n) return;
  const text = (shape: readonly number[]): string => `(${shape.join(', ')})`;
  throw new ShapeError({
    expected: 'features (N, D), centers (D, K) and labels (N)',
    received: `${text(features)}, ${text(centers)} and ${text(labels)}`,
    remedy: 'pass tensors of these shapes',
  });
}
