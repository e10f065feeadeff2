/** Reads a user's settings from a YAML (or JSON) file. */
import { readFile } from 'node:fs/promises';
import { ConfigError, firstLine } from '../errors.ts';

const mostCharacters = 1 << 15;

/** For messages. */
export interface YamlOptions {
  /** The option that named the file. */
  readonly key: string;
  /** Expected content: `a record such as {"input": {...}}`. */
  readonly what: string;
  /** Where to read more. */
  readonly see: string;
}

/** @throws {ConfigError} if the file is unreadable or is not a mapping of keys to values */
export async function readYaml(file: string, { key, what, see }: YamlOptions): Promise<Record<string, unknown>> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new ConfigError(
      key,
      { expected: `${what} in ${file}`, problem: 'it cannot be read', remedy: 'check its path' },
      { cause },
    );
  });
  if (text.length > mostCharacters) {
    throw new ConfigError(key, {
      expected: `${what} in ${file}`,
      problem: 'it is over 32 KiB',
      remedy: 'check the path',
    });
  }
  const { parse, YAMLParseError } = await import('yaml');
  let value: unknown;
  try {
    value = parse(text, { logLevel: 'error', prettyErrors: false }); // pretty errors take minutes for bad files
  } catch (cause) {
    const line = cause instanceof YAMLParseError ? `, line ${text.slice(0, cause.pos[0]).split('\n').length}` : '';
    throw new ConfigError(
      key,
      {
        expected: `JSON or YAML in ${file}`,
        problem: `it cannot be parsed (${firstLine(cause)}${line})`,
        remedy: 'correct the file',
      },
      { cause },
    );
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new ConfigError(key, {
    expected: `${what} in ${file}`,
    problem: 'it is not a mapping of keys to values',
    remedy: `see ${see}`,
  });
}
