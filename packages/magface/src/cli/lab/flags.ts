import type { EmbedSetFlags } from '../evaluate/embed.ts';
import type { RejectFlags } from '../evaluate/options.ts';

/** Flags of `magface lab`. */
export interface LabFlags extends Omit<EmbedSetFlags, 'model'>, RejectFlags {
  readonly set?: readonly string[];
  readonly pairs?: string;
  readonly images?: string;
  readonly protocol?: 'fp' | 'ff';
  readonly folds: number;
  readonly models?: readonly string[];
  readonly methods?: readonly string[];
  readonly scores?: readonly string[];
  readonly report: string;
}
