import type { ForwardStep } from '@magface/torch';

/** A step before it is known what is read last where. */
export type OpenStep = ForwardStep extends infer Step ? (Step extends unknown ? Omit<Step, 'frees'> : never) : never;
