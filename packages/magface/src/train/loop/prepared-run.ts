/** The parts of a run that differ between training and finetuning; run.ts has the common ones. */
import type { Dataset } from '../data/samples.ts';
import type { Ranks } from '../parallel/ranks.ts';
import type { MetricsRow } from '../record/metrics.ts';
import type { TrainConfig } from '../settings/config.ts';
import type { Resumable } from './resume.ts';
import type { TrainHooks } from './train-hooks.ts';
import type { RunParts, StepBatch } from './training-loop.ts';
import type { Validated } from './validate.ts';

/** What exists before either of them begins. */
export interface RunStart {
  readonly config: TrainConfig;
  readonly dataset: Dataset;
  readonly ranks: Ranks;
  readonly onNote: (line: string) => void;
}

/** Disposed after the last step. */
export interface PreparedRun extends AsyncDisposable {
  readonly loader: RunParts<StepBatch>['loader'];
  readonly trainer: RunParts<StepBatch>['trainer'] & Resumable & Validated;
  /** Called when a run starts afresh. @default nothing */
  begin?(): Promise<void>;
  /** Adds further hooks. @default none */
  watch?(hooks: TrainHooks): TrainHooks;
  /** Saves the current model as the best so far. @default as a checkpoint */
  readonly keepBest?: (() => Promise<void>) | undefined;
  /** Called after the last step. @param row - undefined if the run was already over @default nothing */
  finish?(row: MetricsRow | undefined): Promise<void>;
}
