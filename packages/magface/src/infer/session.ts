/** Interface to a runtime, implemented by Node, its worker threads and the browser. */

/**
 * The part of a tensor that inference uses; ONNX Runtime's own fits. Its declarations name browser classes, which
 * Node programs lack: index.ts must not reach them.
 */
export interface SessionTensor {
  /** A Float32Array where `type` is float32. */
  readonly data: unknown;
  readonly type: string;
  readonly dims: readonly number[];
}

export type NamedTensors = Readonly<Record<string, SessionTensor>>;

/** A loaded network, such as onnxruntime's InferenceSession. */
export interface Session {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** @param feeds - float32 tensors; their memory may be transferred: do not use it afterwards */
  run(feeds: NamedTensors, fetches: readonly string[]): Promise<NamedTensors>;
  release(): Promise<void>;
}
