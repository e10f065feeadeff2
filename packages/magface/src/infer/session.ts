/** What inference needs of a runtime, so that Node, its worker threads and the browser can each bring their own. */

/**
 * What inference uses of a tensor; ONNX Runtime's own is one. Its declarations name classes of browsers, which a program
 * for Node has not: they must not be reached from index.ts.
 */
export interface SessionTensor {
  /** A Float32Array where `type` is float32. */
  readonly data: unknown;
  readonly type: string;
  readonly dims: readonly number[];
}

export type NamedTensors = Readonly<Record<string, SessionTensor>>;

/** A loaded network; onnxruntime's own InferenceSession is one too. */
export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** @param feeds - float32 tensors; their memory may be moved away: do not use it afterwards */
  run(feeds: NamedTensors, fetches: readonly string[]): Promise<NamedTensors>;
  release(): Promise<void>;
}
