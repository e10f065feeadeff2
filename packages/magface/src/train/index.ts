/**
 * Training: `import { train } from 'magface/train'`. Needs the optional peer @magface/torch: `npm install @magface/torch`,
 * then `npx magface-torch`. Where that is not installed the import fails with Node's ERR_MODULE_NOT_FOUND, which names it,
 * since no module can catch what its own imports lack; who has it as an option imports it by `await import('magface/train')`
 * within `try`. Where it is installed but not compiled, what needs it throws a LibtorchError of code `libtorch_missing`.
 */

export type { PackedImage } from '../format/packed-image.ts';
export {
  architecture,
  architectureNames,
  type BuildArchitecture,
  openArchitecture,
} from '../graph/networks/architectures.ts';
export {
  type Architecture,
  type ConvShape,
  inputValue,
  NetworkBuilder,
  type TensorSpec,
  type Weights,
  type WindowShape,
} from '../graph/networks/builder.ts';
export { createNetwork, type ForwardOptions, type Network } from '../graph/torch/network.ts';
export type { ConfigOf, Setting } from '../settings/setting.ts';
export { type DatasetOptions, readDataset, readDatasets } from './data/dataset.ts';
export { type Batch, Loader, type LoaderOptions } from './data/loader.ts';
export type { Dataset, Sample, Samples } from './data/samples.ts';
export { type CheckpointContent, listCheckpoints, readCheckpoint, writeCheckpoint } from './loop/checkpoint-file.ts';
export type { Precision } from './loop/device.ts';
export type {
  Learner,
  LearnerParts,
  LearningRules,
  StepParts,
  StepResult,
  WeightGroup,
} from './loop/learner.ts';
export { LossScale, type LossScaleState } from './loop/loss-scale.ts';
export { train } from './loop/run.ts';
export { learningRate, type ScheduleOptions } from './loop/schedule.ts';
export type { SkippedStep } from './loop/skipped-steps.ts';
export type { TrainHooks } from './loop/train-hooks.ts';
export { Trainer, type TrainerOptions, toImages } from './loop/trainer.ts';
export type { ValidationRow } from './loop/validate.ts';
export { type ExportCheckpointOptions, exportCheckpoint } from './model/export-checkpoint.ts';
export type { Head, HeadLoss } from './model/head.ts';
export { cosPlus, type HeadBatch, type HeadFunction, type HeadTerms, withOwn } from './model/heads/head-function.ts';
export { type LossName, lossNames, lossTable, type NamedLoss } from './model/heads/loss-table.ts';
export { type LossOptions, openHead } from './model/heads/open-head.ts';
export {
  leastLambdaG,
  type MagFaceConstants,
  type MagFaceLoss,
  type MagFaceOptions,
  magfaceDefaults,
  magfaceLoss,
} from './model/magface-loss.ts';
export { type ExportOptions, exportOnnx } from './model/onnx-export.ts';
export { type Backbone, backboneOf, readBackbone } from './model/read-backbone.ts';
export { type JoinOptions, joinGroup, rankOf } from './parallel/environment.ts';
export { type LaunchOptions, launch } from './parallel/launcher.ts';
export { type Plan, type PlanOptions, plan } from './parallel/plan.ts';
export { Ranks, type RanksOptions } from './parallel/ranks.ts';
export type { Rank, Share } from './parallel/shares.ts';
export type { MemoryFigures } from './record/memory-use.ts';
export { type MetricsRow, readMetrics } from './record/metrics.ts';
export {
  fromFlag,
  officialFlagNames,
  type ParseOptions,
  parseTrainConfig,
  type TrainConfig,
  trainConfigKeys,
  trainSettings,
  usedSettings,
} from './settings/config.ts';
