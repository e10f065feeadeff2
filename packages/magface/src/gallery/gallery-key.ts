/** The key of a protected gallery. */
import { hkdfSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { ConfigError } from '../errors.ts';

/** Variable that holds the key, if no file does. */
export const keyVariable = 'MAGFACE_GALLERY_KEY';

/** Bytes of a key. */
const keyBytes = 32;

/**
 * @param text - 64 hexadecimal digits, or 32 bytes in base64: `openssl rand -hex 32` makes one
 * @param source - the place it comes from, for errors, which never show the key
 * @throws {ConfigError} if it is no key
 */
export function parseGalleryKey(text: string, source: string): Buffer {
  const word = text.trim();
  const key = /^[0-9a-f]{64}$/i.test(word) ? Buffer.from(word, 'hex') : Buffer.from(word, 'base64');
  const isKey = key.length === keyBytes && (word.length === 2 * keyBytes || /^[\w+/-]{43}=?$/.test(word));
  if (isKey) return key;
  throw new ConfigError('gallery-key', {
    expected: `a key of 64 hexadecimal digits or 32 bytes in base64 in ${source}`,
    problem: 'it has another form',
    remedy: 'make one with `openssl rand -hex 32`',
  });
}

/**
 * @param file - with one key
 * @throws {ConfigError} if it cannot be read or holds no key
 */
export async function readGalleryKey(file: string): Promise<Buffer> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ConfigError(
      'gallery-key',
      { expected: `a key in ${file}`, problem: 'it cannot be read', remedy: 'check its path' },
      { cause },
    );
  });
  return parseGalleryKey(text, file);
}

/** Separate keys for separate uses, so that none tells anything of another. */
export const derivedKey = (key: Buffer, use: 'seal' | 'turn' | 'name' | 'check'): Buffer =>
  Buffer.from(hkdfSync('sha256', key, Buffer.alloc(0), `magface gallery ${use}`, keyBytes));
