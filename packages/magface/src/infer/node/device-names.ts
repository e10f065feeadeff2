/** Names of devices, apart from the runtime, whose types name browser classes. */

/** `cpu`, or what ONNX Runtime has on some platforms. */
export type Device = 'cpu' | 'cuda' | 'webgpu' | 'coreml' | 'directml';

export const deviceNames: readonly Device[] = ['cpu', 'cuda', 'webgpu', 'coreml', 'directml'];
