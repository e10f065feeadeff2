/** Public API for Node. */
export type { CalibrationFit } from './calibrate.ts';
export { calibrate } from './calibrate.ts';
export type { Comparison, Decision, DecisionOptions, DecisionThreshold } from './decision.ts';
export { decide } from './decision.ts';
export type { ErrorData, ImageErrorCode, ModelErrorCode, ServiceErrorCode } from './errors.ts';
export {
  CheckpointError,
  ConfigError,
  FormatError,
  ImageError,
  MagfaceError,
  ModelError,
  ServiceError,
  ShapeError,
} from './errors.ts';
export type {
  AnalyzedFace,
  Box,
  DetectedFace,
  Estimate,
  Landmarks,
  Point,
  Reason,
  ReasonCode,
  VisibleReasonCode,
} from './face.ts';
export type { Fault } from './fault.ts';
export type { DetectOptions } from './infer/detector.ts';
export { type CutOptions, cutFace, cutFaces } from './infer/node/cut-out.ts';
export type { Device } from './infer/node/device-names.ts';
export { type EmbedOptions, embed } from './infer/node/embed.ts';
export type { EngineOptions } from './infer/node/engine.ts';
export type { ComparedFace, LoadOptions } from './infer/node/magface.ts';
export { defaultModels, MagFace } from './infer/node/magface.ts';
export type { ImageInput, ImageLimits } from './infer/node/read-image.ts';
export type { Engine, EngineName } from './infer/node/tuning.ts';
export type { AnalyzeOptions, StreamResult } from './infer/pipeline.ts';
export type { LikelihoodModel, LikelihoodRatio } from './likelihood-ratio.ts';
export { describeLikelihood, likelihoodRatio } from './likelihood-ratio.ts';
export type {
  ContractOf,
  DetectorContract,
  InputContract,
  ModelContract,
  ModelKind,
  RecogniserContract,
  Threshold,
} from './models/contract.ts';
export type { DownloadProgress } from './models/fetch.ts';
export type { LoadedModel } from './models/load-model.ts';
export type { Corrections, FacePair } from './people/corrections.ts';
export type { GroupedPeople, LibraryFace, PeopleOptions, PeopleQuestion, Person } from './people/group-people.ts';
export { groupPeople } from './people/group-people.ts';
export type { ManyPeopleOptions } from './people/node/group-many.ts';
export { groupManyPeople } from './people/node/group-many.ts';
export type { ImageSize, Pixels, RawImage } from './pixels.ts';
export type { Calibration, Remedies, RemedyRow } from './quality.ts';
export { magnitudeAt, magnitudeOf, printedQuality, qualityScore } from './quality.ts';
export { describeReason } from './reasons.ts';
export { compare } from './similarity.ts';
export type { VideoOptions } from './video/node/analyze-video.ts';
export { analyzeVideo } from './video/node/analyze-video.ts';
export type { VideoChoices, VideoPerson, VideoShot } from './video/video-people.ts';
export { describeEstimate } from './what-if.ts';
