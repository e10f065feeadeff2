/** Names of training sources as users write them: `shards-{000..012}.tar`, `shards-*.tar`, or plain paths. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, extname, isAbsolute, join } from 'node:path';
import { globSync, isDynamicPattern } from 'tinyglobby';
import { ConfigError } from '../../errors.ts';

const mostNames = 1_000_000;

/**
 * @returns the sources, with tar shards of one folder as one set
 * @throws {ConfigError} naming a missing source
 */
export function groupSources(sources: readonly string[]): string[][] {
  const groups: string[][] = [];
  const shards = new Map<string, string[]>();
  for (const source of sources.flatMap(sourceFiles)) {
    const isShard = extname(source) === '.tar';
    const known = isShard ? shards.get(dirname(source)) : undefined;
    if (known !== undefined) {
      if (!known.includes(source)) known.push(source);
      continue;
    }
    const group = [source];
    if (isShard) shards.set(dirname(source), group);
    groups.push(group);
  }
  return groups;
}

function sourceFiles(source: string): string[] {
  if (existsSync(source)) return statSync(source).isDirectory() ? folderFiles(source) : [source];
  const files = expandBraces(source).flatMap((name) => {
    if (existsSync(name)) return [name];
    const found = isDynamicPattern(name) ? globSync(name, { absolute: isAbsolute(name) }).sort() : [];
    if (found.length > 0) return found;
    throw new ConfigError('train-list', {
      expected: 'a list, a folder, a .rec or tar shards of training images',
      problem: `${name} does not exist`,
      remedy: 'check the path',
    });
  });
  return [...new Set(files)];
}

/** A folder with tar shards or a `.rec` stands for these; one with folders has one folder per person. */
function folderFiles(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true });
  if (entries.some((entry) => entry.isDirectory())) return [folder];
  const ofKind = (ending: string): string[] =>
    entries.filter(({ name }) => extname(name) === ending).map(({ name }) => join(folder, name));
  const [records, shards] = [ofKind('.rec'), ofKind('.tar')];
  if (records.length === 1) return records;
  return shards.length > 0 ? shards.sort() : [folder];
}

/** `a-{08..10}.tar` to a-08.tar, a-09.tar, a-10.tar; `{a,b}.tar` to a.tar, b.tar. */
function expandBraces(pattern: string): string[] {
  const match = /^(.*?)\{([^{}]*)\}(.*)$/s.exec(pattern);
  if (match === null) return [pattern];
  const [, before = '', inside = '', after = ''] = match;
  const range = /^(\d+)\.\.(\d+)$/.exec(inside);
  if (range === null && !inside.includes(',')) return [pattern];
  const choices = range === null ? inside.split(',') : numbers(range[1]!, range[2]!);
  return choices.flatMap((choice) => expandBraces(before + choice + after));
}

function numbers(first: string, last: string): string[] {
  const [from, to] = [Number(first), Number(last)];
  if (to < from || to - from > mostNames) {
    throw new ConfigError('train-list', {
      expected: 'a range of rising numbers',
      received: `{${first}..${last}}`,
      remedy: 'swap them',
    });
  }
  return Array.from({ length: to - from + 1 }, (_, i) => String(from + i).padStart(first.length, '0'));
}
