/**
 * Since 1.29, ONNX Runtime's packages for Linux and macOS send names and digests of models, and counts of runs, to its maker
 * unless this variable is set when the library is loaded. So this module must be imported before the library. A thread of the
 * caller's own cannot set variables for native code: a program that loads magface only in such threads sets it itself.
 *
 * @see https://github.com/microsoft/onnxruntime/pull/27379
 */
process.env['ORT_DISABLE_TELEMETRY'] ??= '1';

export {};
