import type { ForwardStep } from '@magface/torch';

/** A step without `frees`, which needs the whole graph. */
export type OpenStep = ForwardStep extends infer Step ? (Step extends unknown ? Omit<Step, 'frees'> : never) : never;
