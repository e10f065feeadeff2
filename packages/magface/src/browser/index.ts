/** Public API for web pages: `magface/browser`. */
export type { Decision, DecisionThreshold } from '../decision.ts';
export { decide } from '../decision.ts';
export type { ImageErrorCode, ModelErrorCode } from '../errors.ts';
export { ConfigError, ImageError, MagfaceError, ModelError, ShapeError } from '../errors.ts';
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
} from '../face.ts';
export type { DetectOptions } from '../infer/detector.ts';
export type { AnalyzeOptions, StreamResult } from '../infer/pipeline.ts';
export type { LikelihoodModel, LikelihoodRatio } from '../likelihood-ratio.ts';
export { describeLikelihood, likelihoodRatio } from '../likelihood-ratio.ts';
export type { ModelContract, Threshold } from '../models/contract.ts';
export type { FolderModel } from '../models/model-folder.ts';
export type { AllCorrections } from '../people/correct.ts';
export { joinPeople, namePerson, noCorrections, partFace, partPeople } from '../people/correct.ts';
export type { Corrections, FacePair } from '../people/corrections.ts';
export type { GroupedPeople, LibraryFace, PeopleOptions, PeopleQuestion, Person } from '../people/group-people.ts';
export { groupPeople } from '../people/group-people.ts';
export { keepNumbers } from '../people/keep-numbers.ts';
export type { Pixels, RawImage } from '../pixels.ts';
export type { Calibration, Remedies, RemedyRow } from '../quality.ts';
export { magnitudeAt, magnitudeOf, printedQuality, qualityScore } from '../quality.ts';
export type { QualityColour } from '../quality-steps.ts';
export { qualityColour } from '../quality-steps.ts';
export { describeReason, reasonRules } from '../reasons.ts';
export { compare } from '../similarity.ts';
export type { VideoChoices, VideoPerson, VideoShot } from '../video/video-people.ts';
export { describeEstimate } from '../what-if.ts';
export type { VideoOptions } from './analyze-video.ts';
export { analyzeVideo } from './analyze-video.ts';
export type { FrameSource } from './clip.ts';
export type { ImageInput, LoadOptions } from './magface.ts';
export { MagFace } from './magface.ts';
export type { LoadProgress } from './models.ts';
export type { Device } from './session.ts';
