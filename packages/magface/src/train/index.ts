/**
 * Training: `import { train } from 'magface/train'`. Needs the optional peer @magface/torch: `npm install @magface/torch`,
 * then `npx magface-torch`. Where that is not installed the import fails with Node's ERR_MODULE_NOT_FOUND, which names it,
 * since no module can catch what its own imports lack; who has it as an option imports it by `await import('magface/train')`
 * within `try`. Where it is installed but not compiled, what needs it throws a LibtorchError of code `libtorch_missing`.
 */

export type { PackedImage } from '../format/packed-image.ts';
export type { ConfigOf, Setting } from '../settings/setting.ts';
export { architecture, architectureNames, type BuildArchitecture, openArchitecture } from './architectures.ts';
export { type CheckpointContent, listCheckpoints, readCheckpoint, writeCheckpoint } from './checkpoint-file.ts';
export {
  fromFlag,
  officialFlagNames,
  type ParseOptions,
  parseTrainConfig,
  type TrainConfig,
  trainConfigKeys,
  trainSettings,
  usedSettings,
} from './config.ts';
export { type Dataset, type DatasetOptions, readDataset, readDatasets } from './dataset.ts';
export { type ExportCheckpointOptions, exportCheckpoint } from './export-checkpoint.ts';
export type { Weights } from './fold.ts';
export type { Head, HeadLoss } from './head.ts';
export { type Architecture, inputValue, type Layer, type LayerKind, LayerList } from './layers.ts';
export { type Batch, Loader, type LoaderOptions } from './loader.ts';
export { LossScale, type LossScaleState } from './loss-scale.ts';
export {
  leastLambdaG,
  type MagFaceConstants,
  type MagFaceLoss,
  type MagFaceOptions,
  magfaceDefaults,
  magfaceLoss,
} from './magface-loss.ts';
export type { MemoryFigures } from './memory-use.ts';
export { type MetricsRow, readMetrics } from './metrics.ts';
export { createNetwork, type Mode, type Network, type StateValues } from './network.ts';
export { type ExportOptions, exportOnnx } from './onnx-export.ts';
export { type JoinOptions, joinGroup, rankOf } from './parallel/environment.ts';
export { type LaunchOptions, launch } from './parallel/launcher.ts';
export { type Plan, type PlanOptions, plan } from './parallel/plan.ts';
export { Ranks, type RanksOptions } from './parallel/ranks.ts';
export type { Rank, Share } from './parallel/shares.ts';
export { type Backbone, backboneOf, readBackbone } from './read-backbone.ts';
export { train } from './run.ts';
export type { Sample, Samples } from './samples.ts';
export { learningRate, type ScheduleOptions } from './schedule.ts';
export type { SkippedStep } from './skipped-steps.ts';
export type { TrainHooks } from './train-hooks.ts';
export { type StepResult, Trainer, type TrainerOptions, toImages } from './trainer.ts';
export type { ValidationRow } from './validate.ts';
