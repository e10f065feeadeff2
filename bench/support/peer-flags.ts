import { parseArgs } from 'node:util';

/**
 * Flags of a comparison with PyTorch: `--arch`, `--python`, and its own counts.
 *
 * @param counts each with its default
 * @param texts further flags, without a default
 */
export function peerFlags<Count extends string, Text extends string = never>(
  counts: Readonly<Record<Count, number>>,
  texts: readonly Text[] = [],
): Readonly<Record<Count, number>> & { readonly [text in Text]?: string } & {
  readonly arch: string;
  readonly python: string | undefined;
} {
  const names = Object.keys(counts) as Count[];
  const { values } = parseArgs({
    options: Object.fromEntries(
      ['arch', 'python', ...names, ...texts].map((name) => [name, { type: 'string' }] as const),
    ),
  }) as { values: Partial<Record<string, string>> };
  const count = (name: Count): number => {
    const given = Number(values[name] ?? counts[name]);
    if (!Number.isInteger(given) || given < 1)
      throw new Error(`Expected a count for --${name} but got ${values[name]}`);
    return given;
  };
  return {
    ...values,
    ...(Object.fromEntries(names.map((name) => [name, count(name)])) as Record<Count, number>),
    arch: values['arch'] ?? 'iresnet18',
    python: values['python'],
  };
}
