/** Formats numbers as Python does, as in the official feature files. */

/**
 * The shortest decimal that reads back as the same float64, in Python's `repr`: `2.0`, `1e-05`, `1.3515087366104126`.
 * JavaScript finds the same digits, but formats integers, tiny and huge numbers differently.
 */
export function pythonFloat(value: number): string {
  const size = Math.abs(value);
  if (size >= 1e-4 && size < 1e16) return Number.isInteger(value) ? `${value}.0` : String(value);
  if (size === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  if (Number.isNaN(value)) return 'nan';
  if (size === Number.POSITIVE_INFINITY) return value > 0 ? 'inf' : '-inf';
  return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2');
}
