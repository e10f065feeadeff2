/** What a caller may hear of a run while it goes on. */
import type { ProcessGroup } from '@magface/torch';
import type { FolderLock } from '../../machine/folder-lock.ts';
import type { MetricsRow } from '../record/metrics.ts';
import type { StepResult } from './learner.ts';
import type { ValidationRow } from './validate.ts';

/** What a caller may hear of and do while it runs. */
export interface TrainHooks {
  /** Goes on from the newest whole checkpoint in the output folder. @default false */
  readonly resume?: boolean;
  /** Ends the run after the step in hand, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** The processes that train together, each of which calls this; the first alone speaks and writes. @default none */
  readonly group?: ProcessGroup;
  /** A sentence for people. */
  readonly onNote?: (line: string) => void;
  /** A row of metrics. */
  readonly onRow?: (row: MetricsRow) => void;
  /** After an epoch's validation. */
  readonly onValidation?: (row: ValidationRow) => void;
  /** Each step. @param step - done in all */
  readonly onStep?: (step: number, total: number, result: StepResult) => void;
}

/** The same, but a step ends the run when its folder is not its own any more. */
export function withLock(hooks: TrainHooks, lock: FolderLock | undefined): TrainHooks {
  const onStep: TrainHooks['onStep'] = (...step) => {
    lock?.expectHeld();
    hooks.onStep?.(...step);
  };
  return { ...hooks, onStep };
}
