/** What each benchmark claims, and where in its result the figures stand. */

/** A figure: its words around `{path}`s into the result; `{path%}` as a percentage. */
export interface Claim {
  /** What is measured, beside what. */
  readonly claim: string;
  readonly figures: string;
}

/** By the beginning of the result's name; the longest that fits counts. */
export const claims: Readonly<Record<string, Claim>> = {
  'browser-numbers': {
    claim: 'Chromium gives the numbers of Node on the sample photos, by the shipped model',
    figures:
      'from the photo on: least cosine {embeddingCosine}, magnitudes within {magnitudeRelative}; from the same crop on: every value within {fromTheSameCrop.embedding} of the magnitude; {faces} faces',
  },
  'default-model': {
    claim: 'The default model on LFW’s folds, before and after it was trained for damaged faces',
    figures: 'accuracy {before.lfwFolds.accuracy} to {after.lfwFolds.accuracy}',
  },
  'finetune-variants': {
    claim: 'Variants of the recipe behind the default model, on people held out of the training lists',
    figures: 'in the file',
  },
  'default-model-repeat': {
    claim: '`npm run model:default` from scratch gives the shipped file, byte for byte',
    figures: '{isSame}, in {seconds} s on a machine busy with other work',
  },
  'embed-rate': {
    claim: '`embed` beside a bare ONNX Runtime loop over ready tensors (MobileFaceNet)',
    figures: '{medianRatio} of its rate, {peakMiB} MiB at most',
  },
  'embed-speed': {
    claim: 'JPEG files to features, {arch}, batch {batchSize}, {threads} threads, beside PyTorch float32',
    figures:
      'torch {torch.overPytorchKeepingMemory.median} times with memory kept on both sides, {torch.overPytorch.median} as shipped; onnx {onnx.overPytorchKeepingMemory.median} and {onnx.overPytorch.median}',
  },
  'embed-speed-avx2': {
    claim:
      'The same on a processor without AVX-512 and bfloat16, all in float32: {arch}, batch {batchSize}, {threads} threads',
    figures:
      'onnx {onnx.overPytorchKeepingMemory.median} times with memory kept on both sides, {onnx.overPytorch.median} as shipped; torch {torch.overPytorchKeepingMemory.median} and {torch.overPytorch.median}',
  },
  'engine-accuracy': {
    claim: 'The engine torch (bfloat16) beside onnx (float32) on LFW: {model}',
    figures: 'least cosine {leastCosine}, accuracy {torch.accuracy} beside {onnx.accuracy} ({pairs} pairs)',
  },
  'format-records': {
    claim: 'Random reads of a `.rec` beside plain reads of the same bytes',
    figures: '{medianRatio} of their rate, {peakMB} MB',
  },
  'gallery-kill': {
    claim: 'A gallery whose process is killed while it writes keeps what it acknowledged',
    figures: '{kept} of {acknowledged} after {kills} kills',
  },
  'gallery-search': {
    claim: 'Searching {people} people',
    figures: 'median {searchMs.p50} ms, recall {recallAt5}',
  },
  'kill-rank': {
    claim: 'A rank killed again and again: losses are those of the undisturbed run',
    figures: '{kills} kills, the same: {lossesAreThoseOfTheUndisturbedRun}',
  },
  loader: {
    claim: 'The loader’s share of a training step, {images} faces',
    figures: '.rec {shareOfStep.rec%}, tar {shareOfStep.tar%}, files {shareOfStep.files%}',
  },
  'kill-resume': {
    claim: 'A run killed after every step, and from outside at random moments: losses are those of the unbroken run',
    figures: '{lossesThatDiffer} losses differ, {killedAfterEachStep.to} kills after a step',
  },
  mutation: {
    claim: 'Lines made wrong in the core, and the share that its tests notice',
    figures:
      'loss {loss.share%}, alignment {alignment.share%}, quality {quality.share%}, evaluation {evaluation.share%}, formats {formats.share%}',
  },
  'quality-1': {
    claim: '{photos} photos through `magface quality`, on one thread of a machine that was busy',
    figures: '{photosPerSecond} a second, {residentMiB.most} MiB at most',
  },
  'reject-picture': {
    claim: 'Error versus reject of {model} on {pairs} pairs, the picture of the README',
    figures: 'false non-matches {byMagnitude.0%} with none turned away, {byMagnitude.6%} with 30 %',
  },
  'partial-fc': {
    claim: 'A tenth of {settings.classes} classes a step beside all of them',
    figures: '{timeRatio} of the time, {memoryRatio} of the memory',
  },
  'real-faces': {
    claim: 'Training on real faces, {steps} steps: validation pairs',
    figures: 'accuracy {verification.accuracy}',
  },
  'serve-load-batching': {
    claim: 'Batching requests of {connections} connections',
    figures: '{medianGain} times the rate without',
  },
  'serve-load-latency': {
    claim: 'Latency of the service at half its full rate',
    figures: 'median {milliseconds.p50} ms, p99 {milliseconds.p99} ms',
  },
  'serve-load-throughput': {
    claim: 'The service beside the bare engine, {connections} connections',
    figures: '{medianRateRatio} of its rate',
  },
  'training-memory': {
    claim: 'Resident memory from step 20 to step 300, bf16, batch {batchSize}',
    figures: 'grows by {growthFrom20To300%}',
  },
  'training-resident': {
    claim: 'Resident memory of bf16 training beside PyTorch float32, {arch}, batch {batchSize}',
    figures:
      '{bf16OfPytorchKeepingMemory} of it with memory kept on both sides, {bf16OfPytorch} as shipped; {mebibytes.bf16.most} MiB',
  },
  'training-speed-avx2': {
    claim: 'The same on a processor without AVX-512 and bfloat16: {arch}, batch {batchSize}, {threads} threads',
    figures:
      'fp32 {fp32.overPytorchKeepingMemory.median} times with memory kept on both sides, {fp32.overPytorch.median} as shipped, {fp32.shareOfGemmPeak.median%} of the fp32 GEMM peak; bf16 by rounded fp32 {bf16.overPytorchKeepingMemory.median} and {bf16.overPytorch.median}',
  },
  'training-speed': {
    claim: 'A training step, {arch}, batch {batchSize}, {threads} threads, beside PyTorch float32',
    figures:
      'bf16 {bf16.overPytorchKeepingMemory.median} times with memory kept on both sides, {bf16.overPytorch.median} as shipped, {bf16.shareOfGemmPeak.median%} of the bf16 GEMM peak; fp32 {fp32.overPytorchKeepingMemory.median} and {fp32.overPytorch.median}',
  },
};
