/** The digest that identifies files, models and images. */
import { createHash } from 'node:crypto';

/** @returns SHA-256, hexadecimal */
export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
