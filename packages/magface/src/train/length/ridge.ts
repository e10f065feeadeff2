/** Ridge regression in closed form. */
import { fromArray, noGrad, scope } from '@magface/torch';
import { solvePositive } from '../../solve-positive.ts';

/** y ≈ bias + Σ weights · x */
export interface LinearFit {
  /** (C) */
  readonly weights: Float32Array;
  readonly bias: number;
}

/** Rows, and what each should give. */
export interface RidgeData {
  /** (N, C) */
  readonly rows: Float32Array;
  /** (N) */
  readonly targets: Float32Array;
  /** Number of the last columns whose weights cost nothing. @default 0 */
  readonly free?: number;
}

/**
 * Minimises mean (y − t)² + strength · Σ β², where β are the weights of the standardised columns, without the free ones.
 *
 * @param strength - above 0, so that any number of rows determines the weights
 */
export function fitRidge({ rows, targets, free = 0 }: RidgeData, strength: number): LinearFit {
  const count = targets.length;
  const columns = rows.length / count;
  const { means, deviations } = momentsOf(rows, columns);
  const standardised = Float64Array.from(rows, (value, i) => {
    const column = i % columns;
    return (value - means[column]!) / deviations[column]!;
  });
  const middle = targets.reduce((sum, value) => sum + value, 0) / count;
  const { squares, products } = normalEquations(
    standardised,
    Float64Array.from(targets, (value) => value - middle),
  );
  for (let i = 0; i < columns - free; i++) squares[i * columns + i]! += strength * count;
  const solution = solvePositive(squares, products);
  const weights = Float64Array.from(solution, (value, column) => value / deviations[column]!);
  const bias = middle - weights.reduce((sum, weight, column) => sum + weight * means[column]!, 0);
  return { weights: Float32Array.from(weights), bias };
}

function momentsOf(rows: Float32Array, columns: number): { means: Float64Array; deviations: Float64Array } {
  const count = rows.length / columns;
  const [means, squares] = [new Float64Array(columns), new Float64Array(columns)];
  for (const [i, value] of rows.entries()) means[i % columns]! += value / count;
  for (const [i, value] of rows.entries()) squares[i % columns]! += (value - means[i % columns]!) ** 2 / count;
  return { means, deviations: squares.map((variance) => (variance > 1e-12 ? Math.sqrt(variance) : 1)) };
}

/** XᵀX and Xᵀy, in float64. */
function normalEquations(x: Float64Array, y: Float64Array): { squares: Float64Array; products: Float64Array } {
  using _scope = scope();
  using _ = noGrad();
  const matrix = fromArray(x, [y.length, x.length / y.length]);
  const turned = matrix.permute([1, 0]).contiguous();
  return {
    squares: Float64Array.from(turned.matmul(matrix).toArray() as Float64Array),
    products: Float64Array.from(turned.matmul(fromArray(y, [y.length, 1])).toArray() as Float64Array),
  };
}
