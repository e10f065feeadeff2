/** What went wrong, as fields, and the one place that turns the fields into a sentence. */

/**
 * A fault: `received` or `problem` says what came instead of `expected`. Each field is a part of a sentence, without a
 * full stop:
 *
 *     Expected EXPECTED but received RECEIVED: REMEDY.
 *     Expected EXPECTED but SUBJECT PROBLEM: REMEDY.
 *     Expected EXPECTED but PROBLEM: REMEDY.
 *     PROBLEM: REMEDY.
 */
export interface Fault {
  /** Grammatical subject of the problem, such as the name of an image. */
  readonly subject?: string | undefined;
  /** What was expected: `an output that ends in .onnx`, or `to write a.json`. */
  readonly expected?: string | undefined;
  /** The value that came instead: `a.pth`. */
  readonly received?: string | number | undefined;
  /** What is wrong where no value can be named: `it cannot be read`; with a subject, the rest of the clause: `is empty`. */
  readonly problem?: string | undefined;
  /** What to do, as an instruction: `rename it`. */
  readonly remedy: string;
}

/** @returns the fault as one sentence in plain English */
export function sentence(fault: Fault): string {
  const text = `${contrast(fault)}: ${fault.remedy}`;
  return text.charAt(0).toUpperCase() + text.slice(1) + (text.endsWith('?') ? '' : '.');
}

/** @returns `expected X but received Y`, without the remedy */
export function contrast({ subject, expected, received, problem }: Omit<Fault, 'remedy'>): string {
  const clause = subject === undefined || problem === undefined ? problem : `${subject} ${problem}`;
  const wrong = received === undefined ? clause : `received ${received}`;
  if (expected === undefined) return wrong ?? '';
  return wrong === undefined ? `expected ${expected}` : `expected ${expected} but ${wrong}`;
}
