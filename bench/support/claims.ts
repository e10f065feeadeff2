/** The claim of each benchmark, and the position of its figures in the result. */

/** A text with `{path}`s into the result; `{path%}` is a percentage, `{list.*.key}` a sum. */
export interface Claim {
  /** What is measured, and against what. */
  readonly claim: string;
  readonly figures: string;
}

/** By prefix of the result's name; the longest match counts. */
export const claims: Readonly<Record<string, Claim>> = {
  'browser-numbers': {
    claim: 'Chromium gives the numbers of Node on the sample photos, by the shipped model',
    figures:
      'from the photo on: least cosine {embeddingCosine}, magnitudes within {magnitudeRelative}; from the same crop on: every value within {fromTheSameCrop.embedding} of the magnitude; {faces} faces',
  },
  alignment: {
    claim:
      'Faces of CFP’s first people found and aligned by {detector}, with the aligner and by landmarks alone; sample photos under known maps',
    figures:
      'missed {aligner.missed} of {aligner.images}; frontal-profile FNMR at FMR 1e-2 {aligner.frontalProfile.fnmrAt1e2} and {landmarksAlone.frontalProfile.fnmrAt1e2}; quality moves by {aligner.samplePhotos.qualityPoints.median} points in the median, {aligner.samplePhotos.qualityPoints.p95} at 95 %',
  },
  clusters: {
    claim: 'Real faces clustered by {model}, thresholds chosen on every second person, figures on the others',
    figures:
      'B-cubed F of AHC without magnitude, with it as weight, and as founder’s rule: CFP {results.0.rows.0.bcubed.f}, {results.0.rows.1.bcubed.f}, {results.0.rows.2.bcubed.f}',
  },
  'open-set': {
    claim:
      'Strangers whom `identify --fpir` names, asked for and measured, in galleries of CFP’s and LFW’s people; people not found, beside the threshold of single comparisons at FMR 1e-3',
    figures:
      'at FPIR 0.01: LFW 30 people {results.3.fpirMeasured}, 300 {results.5.fpirMeasured}, 1,500 {results.7.fpirMeasured}, 3,000 {results.11.fpirMeasured}; within the stated interval {results.3.withinInterval}, {results.5.withinInterval}, {results.7.withinInterval}, {results.11.withinInterval}; FNIR {results.3.fnir}, {results.5.fnir}, {results.7.fnir}, {results.11.fnir}; at the pair threshold FPIR {results.3.pairThresholdAtFmr0001.fpir}, {results.5.pairThresholdAtFmr0001.fpir}, {results.7.pairThresholdAtFmr0001.fpir}, {results.11.pairThresholdAtFmr0001.fpir}',
  },
  likelihood: {
    claim:
      'Likelihood ratios of {model} on people to whom nothing was fitted: Cllr, its least, and that of the similarity alone',
    figures:
      'CFP 51 to 100, half profiles: {results.0.cllr} (least {results.0.cllrMin}; similarity alone, fitted to these very pairs, {results.0.similarityAloneFittedHere.cllr}); LFW test people: {results.1.cllr} (least {results.1.cllrMin}; {results.1.similarityAloneFittedHere.cllr})',
  },
  'people-kill': {
    claim:
      '{photos} photos grouped by `magface people` in one run, and in one that was killed five times and begun again',
    figures:
      'the same output: {sameOutput}; {people} people; killed after {kills.0.photos}, {kills.1.photos}, {kills.2.photos}, {kills.3.photos} and {kills.4.photos} photos',
  },
  'people-many-100000': {
    claim: '{faces} made-up faces grouped by `groupManyPeople`',
    figures:
      '{groupManyPeople.processorSeconds} s of processor time, {groupManyPeople.peakMemoryGiB} GiB at most, faces included; B-cubed F {groupManyPeople.bcubed.f}; {groupManyPeople.wrongMerges} wrong merges where {groupManyPeople.expectedWrongMerges} are expected',
  },
  heads: {
    claim:
      'MagFace, ArcFace, CosFace, AdaFace, ElasticFace and CurricularFace behind one frozen front, with three seeds, on LFW pairs of other people',
    figures:
      'accuracy {losses.magface.accuracy.value}, {losses.arcface.accuracy.value}, {losses.cosface.accuracy.value}, {losses.adaface.accuracy.value}, {losses.elasticface-arc.accuracy.value}, {losses.curricularface.accuracy.value}; error over the first 30 % rejected by length, relative to chance, {losses.magface.paucRelative.value}, {losses.arcface.paucRelative.value}, {losses.cosface.paucRelative.value}, {losses.adaface.paucRelative.value}, {losses.elasticface-arc.paucRelative.value}, {losses.curricularface.paucRelative.value}',
  },
  teacher: {
    claim: 'A quarter-width MobileFaceNet with a teacher beside the same alone, two seeds, LFW pairs of other people',
    figures:
      'accuracy {taught.accuracy.value} and {alone.accuracy.value}; the difference’s 95 % interval is {differences.0.others.0.interval}',
  },
  'data-check': {
    claim: '`magface data check` on LFW and CelebA: people whom both have, planted copies and swapped labels',
    figures: 'in the file',
  },
  people: {
    claim:
      'The people of real faces by `groupPeople` without a threshold to choose, beside AHC, DBSCAN, Chinese whispers, HDBSCAN and immich’s rule at their best settings for other people',
    figures:
      'B-cubed F: LFW {results.1.groupPeople.bcubed.f} beside {results.1.peers.0.bcubed.f}, {results.1.peers.1.bcubed.f}, {results.1.peers.2.bcubed.f}, {results.1.peers.3.bcubed.f}, {results.1.peers.4.bcubed.f}; CelebA {results.2.groupPeople.bcubed.f} beside {results.2.peers.0.bcubed.f}, {results.2.peers.1.bcubed.f}, {results.2.peers.2.bcubed.f}, {results.2.peers.3.bcubed.f}, {results.2.peers.4.bcubed.f}; CFP {results.0.groupPeople.bcubed.f} beside {results.0.peers.0.bcubed.f}, {results.0.peers.1.bcubed.f}, {results.0.peers.2.bcubed.f}, {results.0.peers.3.bcubed.f}, {results.0.peers.4.bcubed.f}; wrong merges {results.1.groupPeople.wrongMerges}, {results.2.groupPeople.wrongMerges}, {results.0.groupPeople.wrongMerges} where {results.1.groupPeople.expectedWrongMerges}, {results.2.groupPeople.expectedWrongMerges}, {results.0.groupPeople.expectedWrongMerges} are expected',
  },
  'default-model': {
    claim: 'The default model on LFW’s folds, before and after it was trained for damaged faces',
    figures: 'accuracy {before.lfwFolds.accuracy} to {after.lfwFolds.accuracy}',
  },
  'quality-scale': {
    claim:
      'Rejecting pairs by whole numbers of quality, beside the magnitude: CFP’s people 51 to 100, LFW’s test pairs',
    figures:
      'loses at most {mostLost} of the share of the attainable; frontal-profile pairs at 0 or 1: {cfp.frontalProfile.wholeNumbersOfPairs.zeroOrOne%}, with one width {cfp.frontalProfile.wholeNumbersOfPairs.zeroOrOneByOneWidth%}',
  },
  'default-loses-nothing': {
    claim: 'The default model beside its start on people of neither training nor choosing, frontal and in profile',
    figures:
      'FNMR at FMR 1e-3, frontal-profile: {verification.frontalProfile.fnmr.fmr1e3.start.value} before, {verification.frontalProfile.fnmr.fmr1e3.default.value} after; damaged {verification.frontalProfileDamaged.fnmr.fmr1e3.start.value} and {verification.frontalProfileDamaged.fnmr.fmr1e3.default.value}; share of the attainable rejection {shareOfAttainable.frontalProfile.fmr1e3.start.value} and {shareOfAttainable.frontalProfile.fmr1e3.default.value}',
  },
  'default-loses-nothing-candidates': {
    claim: 'The same for two models that were tried later and are not included',
    figures:
      'FNMR at FMR 1e-3, frontal-profile: directions kept {verification.frontalProfile.fnmr.fmr1e3.directions-kept.value}, averaged with the default {verification.frontalProfile.fnmr.fmr1e3.directions-kept-and-default-averaged.value}',
  },
  reasons: {
    claim:
      'Reasons for low quality and estimates without a defect: CFP’s people 51 to 100, as they are and damaged, and LFW',
    figures:
      'of faces below 20, {after.all.below20WithVisibleReason%} have a visible reason; above 60, {after.all.above60WithReason%} have one; {millisecondsPerFace} ms a face',
  },
  'quality-montage': {
    claim: '60 mixed faces in rising quality, beside their recognisability',
    figures: 'the five worst orderings are in the file',
  },
  'finetune-variants': {
    claim: 'Variants of the recipe behind the default model, on people held out of the training lists',
    figures: '{variants.length} variants; what each gives is in the file',
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
    claim:
      'JPEG files to features, {arch}, batch {batchSize}, {threads} threads, beside PyTorch at its fastest (bfloat16, channels last, memory kept)',
    figures:
      'torch {torch.overPytorchFastest.median} times; {torch.overPytorchKeepingMemory.median} times float32 that keeps memory, {torch.overPytorch.median} times PyTorch as shipped, {torch.overOnnx.median} times onnx',
  },
  'embed-speed-amx': {
    claim:
      'JPEG files to features on a processor with AMX (Intel Xeon, not measured again): {arch}, batch {batchSize}, {threads} threads, beside PyTorch float32',
    figures:
      'torch {torch.overPytorchKeepingMemory.median} times with memory kept on both sides, {torch.overPytorch.median} as shipped',
  },
  'embed-speed-avx2': {
    claim:
      'JPEG files to features without AVX-512 and bfloat16, all in float32: {arch}, batch {batchSize}, {threads} threads',
    figures:
      'torch {torch.overPytorchKeepingMemory.median} times with memory kept on both sides, {torch.overPytorch.median} as shipped; onnx {onnx.overPytorchKeepingMemory.median} and {onnx.overPytorch.median}',
  },
  'engine-accuracy-avx2': {
    claim: 'The engine torch without AVX-512 and bfloat16, in float32 by tiles, beside onnx on LFW: {model}',
    figures: 'least cosine {leastCosine}, accuracy {torch.accuracy} beside {onnx.accuracy} ({pairs} pairs)',
  },
  'engine-accuracy': {
    claim: 'The engine torch (bfloat16) beside onnx (float32) on LFW: {model}',
    figures: 'least cosine {leastCosine}, accuracy {torch.accuracy} beside {onnx.accuracy} ({pairs} pairs)',
  },
  'format-mutations': {
    claim: 'Damaged files, {runs} for each reader: an answer or an error that says why, within 2 s and 512 MB',
    figures: '{files} files for {readers.length} readers, {readers.*.failed} failures',
  },
  'format-fuzz-hour': {
    claim:
      'Damaged files for {processorMinutes} minutes of processor time: an answer or an error that says why, within 2 s and 512 MB',
    figures: '{files} files for {readers.length} readers, {readers.*.failed} failures',
  },
  'format-records': {
    claim: 'Random reads of a `.rec` beside plain reads of the same bytes',
    figures: '{medianRatio} of their rate, {peakMB} MB',
  },
  'files-on-the-way': {
    claim:
      'Source files with a function that runs between a photo and its faces, and between a model’s name and the model',
    figures: '{photo.files} and {model.files}',
  },
  'fused-steps': {
    claim: 'Fused operators beside libtorch’s one by one, processor time of one thread, and a step with them',
    figures:
      'BatchNorm and PReLU {operators.0.ratio} times in float32, {operators.4.ratio} in bfloat16; a step of {trainingStep.0.arch} {trainingStep.0.ratio} in {trainingStep.0.precision}, {trainingStep.1.ratio} in {trainingStep.1.precision}',
  },
  'gallery-index': {
    claim: 'pgvector {results.0.engine.pgvector} in {results.0.engine.where}: its HNSW index beside an exact search',
    figures:
      '{results.0.people} people: exact {results.0.exact.processorMs.p50} ms, HNSW with ef_search 40, 200 and 1,000 {results.0.hnsw.searches.0.processorMs.p50}, {results.0.hnsw.searches.2.processorMs.p50} and {results.0.hnsw.searches.4.processorMs.p50} ms of processor time (medians), recall of five {results.0.hnsw.searches.0.recallAt5}, {results.0.hnsw.searches.2.recallAt5} and {results.0.hnsw.searches.4.recallAt5}; a folder’s search in memory {results.0.folder.processorMs.p50} ms; {results.1.people} people: exact {results.1.exact.processorMs.p50} ms, HNSW with ef_search 40, 200 and 1,000 {results.1.hnsw.searches.0.processorMs.p50}, {results.1.hnsw.searches.2.processorMs.p50} and {results.1.hnsw.searches.4.processorMs.p50} ms of processor time (medians), recall of five {results.1.hnsw.searches.0.recallAt5}, {results.1.hnsw.searches.2.recallAt5} and {results.1.hnsw.searches.4.recallAt5}; a folder’s search in memory {results.1.folder.processorMs.p50} ms',
  },
  'gallery-kill': {
    claim: 'A gallery whose process is killed while it writes keeps what it acknowledged',
    figures: '{kept} of {acknowledged} after {kills} kills',
  },
  'gallery-search': {
    claim: 'Searching {people} people',
    figures: 'median {searchMs.p50} ms, recall {recallAt5}',
  },
  'ijb-c': {
    claim: 'IJB-C’s size (made-up features, its lists): from files to the curve',
    figures: '{runs.0.seconds} s, {runs.0.peakGB} GB at most',
  },
  'kill-rank': {
    claim: 'A rank killed again and again: losses are those of the undisturbed run',
    figures: '{kills} kills, the same: {lossesAreThoseOfTheUndisturbedRun}',
  },
  lab: {
    claim:
      'Which number tells that a face will fail: share of an oracle’s gain on CFP, damaged LFW and LFW, with three recognisers',
    figures:
      'best on CFP with the default model {rankings.0.measures.0.name} {rankings.0.measures.0.attained}, {rankings.0.measures.1.name} {rankings.0.measures.1.attained}, {rankings.0.measures.2.name} {rankings.0.measures.2.attained}; on damaged LFW {rankings.3.measures.0.name} {rankings.3.measures.0.attained}, {rankings.3.measures.1.name} {rankings.3.measures.1.attained}',
  },
  'lab-many': {
    claim:
      '`magface lab` for {faces} faces: what comes after the networks (made-up scores of {methods} methods), and the networks',
    figures:
      '{rankingSeconds} s of one core and {peakMiB} MiB; {networkHours} hours, of which finding and embedding take {processorMillisecondsPerFace.photo to feature, with detection} ms a face',
  },
  'lfw-folds': {
    claim: 'LFW’s ten folds by plain cosine, {results.0.model} and {results.1.model}',
    figures:
      'accuracy {results.0.accuracy} (held to {results.0.heldTo}) and {results.1.accuracy} (held to {results.1.heldTo})',
  },
  'lfw-suite': {
    claim: '`evaluate suite` on {results.0.set}, {results.0.pairs} pairs, first and from its cache',
    figures: 'accuracy {results.0.accuracy}; {seconds.first} s and {seconds.second} s, report of {reportMB} MB',
  },
  'lfw-training-trial': {
    claim: 'A first trial of four epochs on LFW: too short for error versus reject to fall at 30 %',
    figures: 'accuracy {validation.1.accuracy}',
  },
  loader: {
    claim: 'The loader’s share of a training step, {images} faces',
    figures: '.rec {shareOfStep.rec%}, tar {shareOfStep.tar%}, files {shareOfStep.files%}',
  },
  'kill-resume': {
    claim: 'A run killed after every step, and from outside at random moments: losses are those of the unbroken run',
    figures:
      '{lossesThatDiffer} losses differ; {killedAfterEachStep.to} kills after a step, {killedFromOutside.length} from outside',
  },
  'long-run': {
    claim: 'A training of {minutes} minutes in one piece on a machine busy with other work: {arch}, {precision}',
    figures: '{stepsToTheLastRow} steps, {skipped} left out, {residentMiB.most} MiB at most',
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
  'newcomer-walk': {
    claim: 'The README followed word by word on empty folders: Node 20, 22 and 24, no root, no compiler, no network',
    figures:
      'clean {cells.clean.pass} in {cells.clean.seconds} s, Node 22 {cells.node@22.pass}, Node 24 {cells.node@24.pass}, without a compiler {cells.without a compiler.pass}, not root {cells.not root.pass}',
  },
  runtimes: {
    claim: 'The packed package in {runtimes.bun.runtime} and {runtimes.deno.runtime}, beside Node on the sample photos',
    figures:
      'the same faces, errors and exit codes; library: numbers within {runtimes.bun.library.relativeDifference} and {runtimes.deno.library.relativeDifference}; `magface quality`: {runtimes.bun.command.relativeDifference} and {runtimes.deno.command.relativeDifference}',
  },
  'parallel-ranks': {
    claim: 'Ranks beside one process on the same batch',
    figures:
      'losses of {runs.0.ranks}, {runs.1.ranks} and {runs.2.ranks} ranks differ by {runs.0.lossDifference}, {runs.1.lossDifference} and {runs.2.lossDifference} of their value',
  },
  'partial-fc': {
    claim: 'A tenth of {settings.classes} classes a step beside all of them',
    figures: '{timeRatio} of the time, {memoryRatio} of the memory',
  },
  quantize: {
    claim: 'LFW’s folds in int8 beside float32: {results.0.model}',
    figures:
      'accuracy falls by {results.0.rows.1.accuracyLoss}; {results.0.rows.1.bytes} bytes; {results.0.rows.1.rateToFp32} times the rate',
  },
  'real-faces': {
    claim: 'Training on real faces, {steps} steps: validation pairs',
    figures: 'accuracy {verification.accuracy}',
  },
  robustness: {
    claim: 'Seven kinds of damage to {results.0.faces} faces of {set}: how far quality follows what damage costs',
    figures: '{results.0.model}: fall {results.0.fall.value}; {results.1.model}: {results.1.fall.value}',
  },
  'serve-load-batching': {
    claim: 'Batching requests of {connections} connections',
    figures: '{medianGain} times the rate without',
  },
  'serve-load-latency': {
    claim: 'Latency of the service at half its full rate',
    figures:
      'median {milliseconds.p50} ms, p99 {milliseconds.p99} ms; {offeredRate} of {fullRate} requests per second, {machine.load} processes on {machine.cores} cores',
  },
  'serve-load-memory': {
    claim: 'Memory of the service over {requests} requests',
    figures:
      '{MiB.atFirst} MiB at first; after {warmAfter} requests {MiB.least} to {MiB.most} MiB, median {MiB.medianOfFirstHalf} in the first half and {MiB.medianOfSecondHalf} in the second',
  },
  'serve-load-slow-clients': {
    claim: 'Latency of the service beside {slowClients} clients that send slowly',
    figures:
      'median {milliseconds.0.without.p50} ms without, {milliseconds.0.beside.p50} ms beside; p99 {milliseconds.0.without.p99} and {milliseconds.0.beside.p99} ms',
  },
  'serve-load-throughput': {
    claim: 'The service beside the bare engine, {connections} connections',
    figures: '{medianRateRatio} of its rate',
  },
  queue: {
    claim: 'Four workers of `quality --queue` on PostgreSQL {postgresql}, two of them killed, {images} photos',
    figures:
      '{imagesWithARow} photos in {rows} rows; the merged parts equal one run: {mergedEqualsOneRun}; jobs left: {jobsLeftInTheDatabase}',
  },
  'big-run': {
    claim: '{images} photos by `quality --resume`, killed {kills} times, and in two shards',
    figures:
      'after the kills the file of one run: {killedEqualsOneRun}; two shards merged: {twoShardsMergedEqualOneRun}; {imagesPerSecondOfOneRun} photos a second',
  },
  video: {
    claim: 'A clip of {size} through `analyzeVideo` at {fps} frames per second',
    figures: '{wallSeconds} s for {clipSeconds} s of video; {coresForRealTime} cores for real time',
  },
  'video-browser': {
    claim:
      'Clips of {size} in Chromium at {fps} frames per second, by WebCodecs beside a video element, whose people both find',
    figures:
      'frames {h264.frameSeconds.ratio} times as fast for H.264, {vp9.frameSeconds.ratio} for VP9; the whole analysis {h264.analysisSeconds.ratio} and {vp9.analysisSeconds.ratio}; times in view differ by {h264.furthestFromElementSeconds} s, and by {h264.furthestFromNodeSeconds} s from Node',
  },
  device: {
    claim: 'The faces of a photo on {device} beside the CPU: {adapter}',
    figures:
      'least cosine {leastCosine}; magnitudes within {magnitudesWithin}, boxes within {boxesWithinPixels} pixels',
  },
  'photo-speed': {
    claim:
      'Photos of {size} with {facesPerPhoto} faces through `quality`, beside a bare loop over its detector and recogniser',
    figures:
      '{overPeer} times its rate, {cpuOfPeer} of its processor time ({ours.cpuSecondsPerPhoto} s a photo); {ours.photosPerSecond} photos a second, one photo {latencyMilliseconds.ours.p50} ms, first row of a cold command {coldFirstRowSeconds} s',
  },
  'small-speed': {
    claim:
      'Small recognisers, crops to embeddings, beside ONNX Runtime at the best of three settings: magface-small and MobileFaceNet, one face and eight',
    figures:
      'onnx {results.0.onnx.median}, {results.1.onnx.median}, {results.2.onnx.median} and {results.3.onnx.median} times its rate; torch {results.0.torch.median}, {results.1.torch.median}, {results.2.torch.median} and {results.3.torch.median}',
  },
  'precision-seeds': {
    claim:
      'Training on real faces, three seeds in bf16 with fused operators beside three in fp32: {recipe.arch}, {recipe.epochs} epochs',
    figures:
      'accuracy {accuracy.bf16} beside {accuracy.fp32}; false non-matches with 30 % turned away {fnmrWithout30Percent.bf16} beside {fnmrWithout30Percent.fp32}',
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
  'training-speed-amx': {
    claim:
      'A training step on a processor with AMX (Intel Xeon, not measured again): {arch}, batch {batchSize}, {threads} threads, beside PyTorch float32',
    figures:
      'bf16 {bf16.overPytorchKeepingMemory.median} times with memory kept on both sides, {bf16.overPytorch.median} as shipped; fp32 {fp32.overPytorchKeepingMemory.median} and {fp32.overPytorch.median}',
  },
  'training-speed-avx2': {
    claim:
      'A training step on a processor without AVX-512 and bfloat16: {arch}, batch {batchSize}, {threads} threads, beside PyTorch',
    figures:
      'fp32 {fp32.overPytorchKeepingMemory.median} times with memory kept on both sides, {fp32.overPytorch.median} as shipped, {fp32.shareOfGemmPeak.median%} of the fp32 GEMM peak; bf16 by rounded fp32 {bf16.overPytorchKeepingMemory.median} and {bf16.overPytorch.median}',
  },
  'training-speed': {
    claim:
      'A training step, {arch}, batch {batchSize}, {threads} threads, beside PyTorch at its fastest (bfloat16, channels last, memory kept)',
    figures:
      'bf16 {bf16.overPytorchFastest.median} times, {bf16.shareOfGemmPeak.median%} of the bf16 GEMM peak; fp32 {fp32.overPytorchKeepingMemory.median} times PyTorch float32 that keeps memory, {fp32.overPytorch.median} times as shipped',
  },
};
