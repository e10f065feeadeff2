/** What training and finetuning each bring to a run; the rest is the same, see run.ts. */
import type { Dataset } from '../data/samples.ts';
import type { Ranks } from '../parallel/ranks.ts';
import type { MetricsRow } from '../record/metrics.ts';
import type { TrainConfig } from '../settings/config.ts';
import type { Resumable } from './resume.ts';
import type { TrainHooks } from './train-hooks.ts';
import type { RunParts, StepBatch } from './training-loop.ts';
import type { Validated } from './validate.ts';

/** What is there before either of them begins. */
export interface RunStart {
  readonly config: TrainConfig;
  readonly dataset: Dataset;
  readonly ranks: Ranks;
  readonly onNote: (line: string) => void;
}

/** Closed after the last step. */
export interface PreparedRun extends AsyncDisposable {
  readonly loader: RunParts<StepBatch>['loader'];
  readonly trainer: RunParts<StepBatch>['trainer'] & Resumable & Validated;
  /** What a run does that begins anew. @default nothing */
  begin?(): Promise<void>;
  /** What else listens. @default nothing */
  watch?(hooks: TrainHooks): TrainHooks;
  /** Keeps the model as it is, the best so far. @default a checkpoint of it */
  readonly keepBest?: (() => Promise<void>) | undefined;
  /** What is done when the last step is. @param row - undefined when that was so before @default nothing */
  finish?(row: MetricsRow | undefined): Promise<void>;
}
