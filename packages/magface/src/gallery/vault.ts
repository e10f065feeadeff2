/**
 * How a gallery stores what it knows of people. Without a key, as it is. With a key, names, image names and consent are
 * encrypted by AES-256-GCM, and embeddings are
 *
 *     sealed   encrypted too; a search loads the templates into memory, so this is for folders
 *     turned   multiplied by an orthogonal matrix drawn from the key, so that PostgreSQL can search them
 *
 * A sealed value is a nonce of 12 bytes, the ciphertext and a tag of 16 bytes; it is bound to its column and person, so that
 * values cannot be exchanged in the database unnoticed. Magnitudes, qualities and times stay readable.
 */
import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto';
import { ConfigError } from '../errors.ts';
import { bytesOfFloats, floatsOfBytes } from '../format/float-text.ts';
import { derivedKey } from './gallery-key.ts';
import { keyedRotation } from './keyed-rotation.ts';

/** How a gallery's content is protected. */
export type Protection = 'none' | 'turned' | 'sealed';

/** The place of a value: its column, and the person's id. */
type Place = readonly [column: 'name' | 'consent' | 'image' | 'template' | 'embedding', id: string];

/** Translates between what is known of people and what is stored. */
export interface Vault {
  readonly protection: Protection;
  /** Tells a wrong key; null without one. */
  readonly check: string | null;
  /** Whether a database can compare the stored vectors. */
  readonly searchable: boolean;
  /** SQL type of stored vectors. */
  readonly vectorType: string;
  /** SQL of a stored vector from parameter n, and of the text that {@link Vault.openVector} reads. */
  readonly vectorIn: (parameter: number) => string;
  readonly vectorOut: (column: string) => string;
  /** @returns the primary key of a person's row: the name itself, or a keyed digest of it */
  readonly idOf: (name: string) => string;
  /** @returns a digest of a name for the log of deletions, which only a key or a known name can be compared with */
  readonly digestOf: (name: string) => string;
  readonly sealText: (text: string, place: Place) => string;
  readonly openText: (stored: string, place: Place) => string;
  readonly sealVector: (vector: Float32Array, place: Place) => string;
  readonly openVector: (stored: string, place: Place) => Float32Array;
  /** @returns the vector as a search has it: turned, or as it is */
  readonly indexed: (vector: Float32Array) => Float32Array;
  /** As `openVector`, but as a search has it. */
  readonly openIndexed: (stored: string, place: Place) => Float32Array;
}

/**
 * @param key - 32 bytes; none for `none`
 * @param dimension - of the embeddings
 */
export function createVault(protection: Protection, dimension: number, key?: Buffer): Vault {
  if (protection === 'none') return openVault(dimension);
  if (key === undefined)
    throw new ConfigError('gallery-key', {
      expected: 'the key of a protected gallery',
      received: 'none',
      remedy: 'pass --gallery-key FILE or set MAGFACE_GALLERY_KEY',
    });
  return keyedVault(protection, dimension, key);
}

/** pgvector's own notation. */
const vectorText = (vector: Float32Array): string => `[${vector.join(',')}]`;

/** Parameters and results of a vector column, in pgvector's text and in its binary form, which parses three times as fast. */
const asVector = (dimension: number) => ({
  searchable: true,
  vectorType: `vector(${dimension})`,
  vectorIn: (parameter: number) => `$${parameter}::vector`,
  vectorOut: (column: string) => `encode(vector_send(${column}), 'base64')`,
});

function openVault(dimension: number): Vault {
  return {
    ...asVector(dimension),
    protection: 'none',
    check: null,
    idOf: (name) => name,
    digestOf: (name) => createHash('sha256').update(name).digest('hex').slice(0, digestLength),
    sealText: (text) => text,
    openText: (stored) => stored,
    sealVector: vectorText,
    openVector: vectorOf,
    indexed: (vector) => vector,
    openIndexed: vectorOf,
  };
}

/** Hexadecimal digits of a digest in the log. */
const digestLength = 24;

function keyedVault(protection: 'turned' | 'sealed', dimension: number, key: Buffer): Vault {
  const [seal, naming] = [derivedKey(key, 'seal'), derivedKey(key, 'name')];
  const idOf = (name: string): string => createHmac('sha256', naming).update(name).digest('base64url');
  const text = {
    protection,
    check: derivedKey(key, 'check').toString('hex'),
    idOf,
    digestOf: (name: string) => createHmac('sha256', naming).update(`log ${name}`).digest('hex').slice(0, digestLength),
    sealText: (plain: string, place: Place) => sealed(seal, Buffer.from(plain), place).toString('base64'),
    openText: (stored: string, place: Place) => opened(seal, Buffer.from(stored, 'base64'), place).toString(),
  };
  if (protection === 'sealed') {
    const openVector = (stored: string, place: Place): Float32Array =>
      floatsOfBytes(opened(seal, Buffer.from(stored, 'base64'), place));
    return {
      ...text,
      searchable: false,
      vectorType: 'bytea',
      vectorIn: (parameter) => `decode($${parameter}, 'base64')`,
      vectorOut: (column) => `encode(${column}, 'base64')`,
      sealVector: (vector, place) => sealed(seal, bytesOfFloats(vector), place).toString('base64'),
      openVector,
      indexed: (vector) => vector,
      openIndexed: openVector,
    };
  }
  const { turn, turnBack } = keyedRotation(derivedKey(key, 'turn'), dimension);
  return {
    ...asVector(dimension),
    ...text,
    sealVector: (vector) => vectorText(turn(vector)),
    openVector: (stored) => turnBack(vectorOf(stored)),
    indexed: turn,
    openIndexed: vectorOf,
  };
}

const [nonceBytes, tagBytes] = [12, 16];

function sealed(key: Buffer, plain: Uint8Array, place: Place): Buffer {
  const nonce = randomBytes(nonceBytes);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(place.join('\0')));
  const text = Buffer.concat([cipher.update(plain), cipher.final()]);
  return Buffer.concat([nonce, text, cipher.getAuthTag()]);
}

/** @throws {ConfigError} if the value was changed or belongs to another place */
function opened(key: Buffer, stored: Buffer, place: Place): Buffer {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, stored.subarray(0, nonceBytes))
      .setAAD(Buffer.from(place.join('\0')))
      .setAuthTag(stored.subarray(-tagBytes));
    return Buffer.concat([decipher.update(stored.subarray(nonceBytes, -tagBytes)), decipher.final()]);
  } catch (cause) {
    throw new ConfigError(
      'gallery',
      {
        expected: `the ${place[0]} of a person as it was sealed`,
        problem: 'it was changed',
        remedy: 'restore the gallery from a backup',
      },
      { cause },
    );
  }
}

/** @param text - pgvector's binary form in base64: two 16-bit numbers, then the values, big-endian */
function vectorOf(text: string): Float32Array {
  const { buffer, byteOffset, length } = Buffer.from(text, 'base64');
  const view = new DataView(buffer, byteOffset + 4, length - 4);
  return Float32Array.from({ length: view.byteLength / 4 }, (_, d) => view.getFloat32(4 * d));
}
