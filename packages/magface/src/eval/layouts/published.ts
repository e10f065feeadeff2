/** Finds out which published layout a folder has. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type CfpProtocol, cfpView, readCfpPairs } from './cfp.ts';
import type { Layout } from './layout.ts';
import { rfwLayout } from './rfw.ts';
import { scfaceLayout } from './scface.ts';

/** @returns undefined for a folder with a plain list of pairs */
export async function publishedLayout(
  folder: string,
  { protocol, folds }: { readonly protocol: CfpProtocol; readonly folds: number },
): Promise<Layout | undefined> {
  if (existsSync(join(folder, 'Protocol', 'Pair_list_F.txt'))) {
    const list = await readCfpPairs(folder, protocol);
    return { name: `CFP-${protocol.toUpperCase()}`, list, viewOf: cfpView, notes: [] };
  }
  return (await rfwLayout(folder, folds)) ?? (await scfaceLayout(folder));
}
