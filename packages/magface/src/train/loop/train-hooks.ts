/** A caller's hooks into a running training run. */
import type { ProcessGroup } from '@magface/torch';
import type { FolderLock } from '../../machine/folder-lock.ts';
import type { MetricsRow } from '../record/metrics.ts';
import type { StepResult } from './learner.ts';
import type { ValidationRow } from './validate.ts';

/** Callbacks and options for controlling a run. */
export interface TrainHooks {
  /** Resumes from the newest complete checkpoint in the output folder. @default false */
  readonly resume?: boolean;
  /** Ends the run after the current step, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** The processes that train together, which all call this; only the first prints and writes. @default none */
  readonly group?: ProcessGroup;
  /** Receives messages for the user. */
  readonly onNote?: (line: string) => void;
  /** Receives each row of metrics. */
  readonly onRow?: (row: MetricsRow) => void;
  /** Called after an epoch's validation. */
  readonly onValidation?: (row: ValidationRow) => void;
  /** Called after each step. @param step - total steps done */
  readonly onStep?: (step: number, total: number, result: StepResult) => void;
}

/** The same hooks, but a step ends the run if its folder's lock is lost. */
export function withLock(hooks: TrainHooks, lock: FolderLock | undefined): TrainHooks {
  const onStep: TrainHooks['onStep'] = (...step) => {
    lock?.expectHeld();
    hooks.onStep?.(...step);
  };
  return { ...hooks, onStep };
}

/** Reports progress at each tenth. */
export function everyTenth(what: string, onNote: (line: string) => void): (done: number, total: number) => void {
  let told = 0;
  return (done, total) => {
    const tenths = Math.floor((10 * done) / total);
    if (tenths > told) onNote(`${what}: ${10 * tenths} %`);
    told = tenths;
  };
}
