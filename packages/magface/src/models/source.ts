/** Parses the name of a model: a path, an id of the registry, `https:` or `npm:NAME@VERSION/PATH/IN/PACKAGE`. */
import { ConfigError } from '../errors.ts';

/** Where the bytes of a model come from. */
export type ModelSource =
  /** A file shipped in this package, relative to its folder; only the registry uses this. */
  | { readonly kind: 'package'; readonly file: string }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'https'; readonly url: string }
  | { readonly kind: 'npm'; readonly spec: string; readonly file: string };

/**
 * @param name - `npm:`, `https:` or a path; `http:` is allowed for this machine only
 * @throws {ConfigError} if an address is invalid
 */
export function parseSource(name: string): ModelSource {
  if (name.startsWith('npm:')) return npmSource(name);
  if (name.startsWith('package:')) return { kind: 'package', file: name.slice('package:'.length) };
  if (!/^[a-z][a-z0-9+.-]+:\/\//i.test(name)) return { kind: 'path', path: name };
  const url = URL.canParse(name) ? new URL(name) : undefined;
  const local = url?.hostname === '127.0.0.1' || url?.hostname === 'localhost';
  if (url?.protocol === 'https:' || (url?.protocol === 'http:' && local)) return { kind: 'https', url: name };
  throw new ConfigError('model', {
    expected: 'an https: address, npm:NAME@VERSION/PATH, a path or an id',
    received: `"${name}"`,
    remedy: 'check its spelling',
  });
}

function npmSource(name: string): ModelSource {
  const match = /^npm:((?:@[^/@]+\/)?[^/@]+@\d+\.\d+\.\d+[^/]*)\/(.+)$/.exec(name);
  const [, spec, file] = match ?? [];
  if (spec !== undefined && file !== undefined) return { kind: 'npm', spec, file };
  throw new ConfigError('model', {
    expected: 'npm:NAME@VERSION/PATH/IN/PACKAGE',
    received: `"${name}"`,
    remedy: "pass the exact version and the file's path",
  });
}
