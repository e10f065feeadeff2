/** Files of torch.save before PyTorch 1.6, put together by hand. */

/** A legacy file: `data` is a pickle whose storages lie behind it. */
export function legacyFile(data: string, storages: readonly (readonly [string, Float32Array])[]): Buffer {
  const head = '\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.\x80\x02}.';
  const keys = `\x80\x02](${storages.map(([key]) => `U${String.fromCharCode(key.length)}${key}`).join('')}e.`;
  const values = storages.flatMap(([, data]) => [
    new Uint8Array(BigInt64Array.of(BigInt(data.length)).buffer),
    new Uint8Array(data.buffer),
  ]);
  return Buffer.concat([Buffer.from(`${head}\x80\x02${data}.${keys}`, 'latin1'), ...values]);
}

/** Pickle's way to name a storage of floats, and a view into one. */
export const storage = (key: string, count: number): string =>
  `(U\x07storagectorch\nFloatStorage\nU${String.fromCharCode(key.length)}${key}U\x03cpuK${String.fromCharCode(count)}tQ`;
export const tensorOf = (from: string, offset: number, shape: string, strides: string): string =>
  `ctorch._utils\n_rebuild_tensor_v2\n(${from}K${String.fromCharCode(offset)}(${shape}t(${strides}t\x89NtR`;
