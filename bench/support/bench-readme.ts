/** Generates bench/README.md from the results, one row each. A test checks that it is up to date. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { claims } from './claims.ts';

const folder = fileURLToPath(new URL('../', import.meta.url));

interface Result {
  readonly machine?: Readonly<Record<string, string | number>>;
}

/** The value at these keys; `*` sums over a list. */
function valueAt(from: unknown, [key, ...rest]: readonly string[]): unknown {
  if (key === undefined || from === undefined) return from;
  if (key === '*') return (from as unknown[]).reduce<number>((sum, one) => sum + Number(valueAt(one, rest) ?? 0), 0);
  return valueAt((from as Record<string, unknown>)[key], rest);
}

/** The value at `a.b.c`, rounded, or as a percentage. */
function figure(result: unknown, path: string): string {
  const percent = path.endsWith('%');
  const value = valueAt(result, (percent ? path.slice(0, -1) : path).split('.'));
  if (value === undefined) return '?';
  if (Array.isArray(value)) return value.map((_, i) => figure(value, `${i}${percent ? '%' : ''}`)).join(', ');
  if (typeof value !== 'number') return String(value);
  if (percent) return `${Number((100 * value).toPrecision(3))} %`;
  return Number.isInteger(value) ? value.toLocaleString('en') : String(Number(value.toPrecision(4)));
}

const filled = (text: string, result: unknown): string =>
  text.replace(/\{([^}]+)\}/g, (_, path: string) => figure(result, path));

/** The longest of these names that is a prefix of `name`. */
const longest = (names: readonly string[], name: string): string | undefined =>
  names.filter((one) => name.startsWith(one)).sort((a, b) => b.length - a.length)[0];

/** @returns the page */
export function benchReadme(): string {
  const scripts = readdirSync(folder).flatMap((name) => (name.endsWith('.ts') ? [name.slice(0, -3)] : []));
  const names = readdirSync(`${folder}results`).flatMap((name) => (name.endsWith('.json') ? [name.slice(0, -5)] : []));
  const rows = names.sort().map((name) => {
    const result = JSON.parse(readFileSync(`${folder}results/${name}.json`, 'utf8')) as Result;
    const claim = claims[longest(Object.keys(claims), name) ?? ''];
    const script = longest(scripts, name);
    const cells = [
      claim === undefined ? 'see the script' : filled(claim.claim, result),
      claim === undefined ? 'in the file' : filled(claim.figures, result),
      script === undefined ? '' : `[${script}.ts](${script}.ts)`,
      `[${name}](results/${name}.json)`,
      result.machine?.['date'] ?? '',
      result.machine?.['commit'] ?? '',
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return `# Benchmarks

There is one script per claim. Its header says what it measures and how to run it (\`npx tsx -C magface:source bench/NAME.ts\`).
Speed is a ratio to a peer within one run, never between runs, because machines and their load differ. Results include machine,
versions and commit. Results that fall short of their goals are kept too.

This page is generated from \`results/\`, by each benchmark at its end or by \`npx tsx bench/readme.ts\`.

| What | Figure | Script | Result | Date | Commit |
|---|---|---|---|---|---|
${rows.join('\n')}
`;
}

/** Rewrites the page. */
export function writeBenchReadme(): void {
  writeFileSync(`${folder}README.md`, benchReadme());
}
