/** What inference needs of a runtime, so that Node, its worker threads and the browser can each bring their own. */
import type { Tensor } from 'onnxruntime-common';

export type NamedTensors = Readonly<Record<string, Tensor>>;

/** A loaded network; onnxruntime's own InferenceSession is one too. */
export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** @param feeds - float32 tensors; their memory may be moved away: do not use it afterwards */
  run(feeds: NamedTensors, fetches: readonly string[]): Promise<NamedTensors>;
  release(): Promise<void>;
}
