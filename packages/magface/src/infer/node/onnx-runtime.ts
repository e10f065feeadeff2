/** ONNX Runtime with its telemetry off. Everything takes the library from here, so that nothing can load it before. */
import './telemetry.ts';

export { env, InferenceSession, Tensor } from 'onnxruntime-node';
