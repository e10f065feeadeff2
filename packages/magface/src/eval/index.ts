/**
 * Evaluation protocols for face recognition and face quality: `import { verify } from 'magface/eval'`.
 *
 * Features are (N, D) float32 rows, not normalized. A pair refers to two rows. Similarities are cosines, -1 to 1. Rates are
 * fractions, 0 to 1. Only functions that take a `MagFace` run a network.
 *
 * @example Verification and error versus reject, from two files
 * ```ts
 * import { errorVersusReject, loadPairs, verify } from 'magface/eval';
 *
 * const loaded = await loadPairs({ features: 'features.list', pairs: 'pair.list' });
 * const { accuracy, tarAtFar, limits } = verify(loaded.features, loaded.rows);
 * const { fnmrOfAll, pauc } = errorVersusReject(loaded.similarities, loaded.same, loaded.quality, { fmr: 0.01 });
 * console.log(accuracy, tarAtFar, limits, fnmrOfAll, pauc);
 * ```
 *
 * @example Thresholds with intervals, by a bootstrap over people
 * ```ts
 * import { estimateThresholds, identitiesOf, loadPairs } from 'magface/eval';
 *
 * const { features, rows, similarities, same } = await loadPairs({ features: 'features.list', pairs: 'pair.list' });
 * const people = identitiesOf(rows, features.names);
 * for (const { far, threshold, thresholdInterval } of estimateThresholds(similarities, same, people))
 *   console.log(`FMR ${far}: cosine ${threshold}, 95 % ${thresholdInterval.join(' to ')}`);
 * ```
 *
 * @example IJB-C, with features of the official text
 * ```ts
 * import { evaluateIjb, findIjbFiles, readFaceTemplates, readTemplatePairs } from 'magface/eval';
 * import { openFeatureFile } from 'magface/formats';
 *
 * const files = await findIjbFiles('ijb/meta', 'c');
 * const { blocks: features, dimension } = await openFeatureFile('ijb/features.list');
 * const [faces, pairs] = [await readFaceTemplates(files.faces), await readTemplatePairs(files.pairs)];
 * const { result } = await evaluateIjb({ features, dimension, faces, pairs }, { magnitudeWeighted: true });
 * console.log(result.far, result.tar);
 * ```
 *
 * @module
 */

export {
  type BootstrapOptions,
  type DrawOptions,
  estimateThresholds,
  type Interval,
  type ThresholdEstimate,
} from './bootstrap.ts';
export {
  type Clustering,
  type ClusterMethod,
  type ClusterOptions,
  clusterFaces,
  clusterMethods,
  type MagnitudeRole,
  magnitudeRoles,
} from './clusters/cluster-faces.ts';
export { type ClusterAgreement, type ClusterMeasures, measureClusters } from './clusters/cluster-measures.ts';
export { type IjbClusterList, readIjbClusters } from './clusters/ijb-clusters.ts';
export { peopleOf, readPeople } from './clusters/people-list.ts';
export { type ComparedModel, compareModels, type Figure, type FigureComparison } from './compare-models.ts';
export {
  type DamagedFace,
  type DamagedFaces,
  type DamageFacesOptions,
  type DamageName,
  damageFaces,
  damageNames,
  describeDamage,
} from './damage-faces.ts';
export {
  type CheckedImage,
  type CheckedPerson,
  checkData,
  checkEmbedded,
  type DataCheck,
  type LabelledSet,
} from './data/check-data.ts';
export { type CleanedImage, type CleaningReason, cleanData } from './data/clean-data.ts';
export type { Duplicate } from './data/duplicates.ts';
export type { LabelFaults, Mislabelled, Outlier } from './data/label-faults.ts';
export type { SamePerson } from './data/same-people.ts';
export type { SetStatistics, Spread } from './data/set-statistics.ts';
export { type EmbeddingModels, type EmbedSetOptions, embedFaceSet } from './embed-set.ts';
export type { FaceSet, SetImage } from './face-set.ts';
export type { FolderSetOptions } from './face-set-folder.ts';
export { type FeatureSet, magnitudesOf } from './feature-set.ts';
export { fitLikelihood, type LikelihoodPairs } from './fit-likelihood.ts';
export { type GroupRates, type GroupReport, ratesByGroup } from './groups.ts';
export { type Identification, type IdentificationOptions, identify } from './identification.ts';
export { identifySet } from './identify-set.ts';
export { identitiesOf, type PairIdentities } from './identities.ts';
export {
  evaluateIjb,
  type IjbEvaluation,
  type IjbInput,
  type IjbOptions,
  type IjbVerification,
} from './ijb.ts';
export {
  type FaceTemplates,
  findIjbFiles,
  type IjbFiles,
  readFaceTemplates,
  readTemplatePairs,
  readTemplateSubjects,
  type TemplatePairs,
  type TemplateSubjects,
} from './ijb-files.ts';
export { type IdentificationSet, openTinyFace, tinyFaceFolder } from './layouts/tinyface.ts';
export { isotonicPosteriors, type LikelihoodCost, likelihoodCost } from './likelihood-cost.ts';
export { type LoadedPairs, loadPairs, type PairFiles } from './load-pairs.ts';
export { type MeasuredModel, type MeasureOptions, measureModel } from './measure-model.ts';
export { type MeasuredThresholds, measureThresholds } from './measure-thresholds.ts';
export { type Component, type ComponentName, componentNames, components } from './methods/components.ts';
export { type FaceSource, type MeasureSetOptions, measureSet } from './methods/measure-set.ts';
export type { QualityMethod } from './methods/method.ts';
export { type MethodName, methodNames } from './methods/method-names.ts';
export { type MethodParts, openMethod } from './methods/open-methods.ts';
export { openFaceSet } from './open-face-set.ts';
export { type PairList, parsePairList, readPairList } from './pair-list.ts';
export type {
  HistogramBin,
  PairExample,
  PairExamples,
  PairReport,
  RejectReport,
  ViewBin,
} from './pair-report.ts';
export { type ResolveOptions, resolvePairs } from './pairs.ts';
export {
  fitQmagface,
  officialLine,
  type QMagFaceFigures,
  type QMagFaceLine,
  type QMagFaceOptions,
  qmagfaceFigures,
  qmagfaceScore,
} from './qmagface.ts';
export {
  fitQualityDecision,
  type QualifiedPairs,
  type QualityBin,
  type QualityDecision,
  type QualityDecisionOptions,
} from './quality-decision.ts';
export {
  type FairnessCell,
  type FairnessOptions,
  type GroupFairness,
  type QualityFairness,
  qualityFairness,
} from './quality-fairness.ts';
export { type QualityMeasure, readQualities } from './quality-file.ts';
export {
  errorVersusReject,
  type PartialArea,
  pairQuality,
  type RejectBaselines,
  type RejectCurve,
  type RejectOptions,
  rejectBaselines,
} from './reject.ts';
export type { RejectUnit, ThresholdRule } from './reject-points.ts';
export {
  type QualityReliability,
  qualityReliability,
  type Reliability,
  type ReliabilityBin,
  type ReliabilityOptions,
} from './reliability.ts';
export {
  type DamageCurve,
  type DamageReport,
  type DamageStep,
  type Estimate,
  type Quartiles,
  type RobustnessOptions,
  type RobustnessReport,
  robustnessReport,
} from './robustness.ts';
export type { OperatingPoint } from './roc.ts';
export type { TemplateOptions, Templates } from './templates.ts';
export {
  cosineSimilarities,
  type FoldAccuracy,
  type Pairs,
  type Verification,
  type VerificationOptions,
  verify,
} from './verification.ts';
