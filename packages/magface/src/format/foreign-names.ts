/** Rules that map other projects' layer names of a backbone to ours. */

/** Rules are tried in order; a name that matches none is not part of the backbone. */
export interface ForeignNames {
  readonly project: string;
  readonly rules: readonly (readonly [theirs: RegExp, ours: string])[];
}

export const foreignNames: readonly ForeignNames[] = [
  {
    project: 'github.com/foamliu/MobileFaceNet', // arch mobilefacenet-relu6
    rules: [
      [/^(conv[12])\.0\./, '$1.conv.'],
      [/^(conv[12])\.1\./, '$1.bn.'],
      [/^dw_conv\.depthwise\./, 'dw_conv1.conv.'],
      [/^dw_conv\.bn1\./, 'dw_conv1.bn.'],
      [/^dw_conv\.pointwise\./, 'pw_conv1.conv.'],
      [/^dw_conv\.bn2\./, 'pw_conv1.bn.'],
      [/^features\.(\d+)\.conv\.0\.0\./, 'bottleneck.$1.expand.conv.'],
      [/^features\.(\d+)\.conv\.0\.1\./, 'bottleneck.$1.expand.bn.'],
      [/^features\.(\d+)\.conv\.1\.0\./, 'bottleneck.$1.filter.conv.'],
      [/^features\.(\d+)\.conv\.1\.1\./, 'bottleneck.$1.filter.bn.'],
      [/^features\.(\d+)\.conv\.2\./, 'bottleneck.$1.project.conv.'],
      [/^features\.(\d+)\.conv\.3\./, 'bottleneck.$1.project.bn.'],
      [/^gdconv\.depthwise\./, 'gdconv.conv.'],
      [/^gdconv\.bn\./, 'gdconv.bn.'],
      [/^conv3\./, 'linear.'],
      [/^bn\./, 'features.'],
    ],
  },
];

/** @returns our names to the file's, for names that a rule matches */
export function byForeignNames({ rules }: ForeignNames, names: Iterable<string>): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of names) {
    const bare = name.replace(/^(state_dict\.)?(module\.)?/, '');
    const rule = rules.find(([theirs]) => theirs.test(bare));
    if (rule !== undefined) found.set(bare.replace(rule[0], rule[1]), name);
  }
  return found;
}
