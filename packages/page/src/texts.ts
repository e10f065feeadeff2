/** All English texts of the page. To translate the page, write another such file. Reasons come from the library. */
import { type AnalyzedFace, describeEstimate, describeReason, type Estimate, type Reason } from 'magface/browser';

const count = (n: number, one: string, many = `${one}s`): string => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
const photos = (n: number): string => count(n, 'photo');
const faces = (n: number): string => count(n, 'face');
const percent = (share: number): string => `${Math.round(100 * share)} %`;
const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
/** Prefix of a reason: the number of poor faces it applies to; empty for a single poor face. */
const amongPoor = (faces: number, poor: number): string =>
  faces < poor ? `${faces} of them ` : poor === 1 ? '' : 'all of them ';
/** Formats 0.001 as "1 in 1,000". */
const oneIn = (rate: number): string => `1 in ${Math.round(1 / rate).toLocaleString('en')}`;

/** Formats 62.4 seconds as "1:02.4". */
function clock(seconds: number): string {
  const tenths = Math.round(10 * seconds);
  const minutes = Math.floor(tenths / 600);
  return `${minutes}:${((tenths - 600 * minutes) / 10).toFixed(1).padStart(4, '0')}`;
}

export const texts = {
  language: 'en',
  title: 'MagFace',
  skip: 'Skip to content',
  nav: { label: 'Views', photos: 'Photos', people: 'People', video: 'Video', camera: 'Camera', compare: 'Compare' },
  theme: { toDark: 'Dark', toLight: 'Light', label: 'Theme' },
  privacy: 'Nothing leaves this device. Photos and names stay in this browser until you start over.',

  library: {
    loading: (received: number, total: number) =>
      total > 0 ? `Downloading the models (once): ${megabytes(received)} of ${megabytes(total)} MB.` : 'Starting …',
    opening: 'Opening the models …',
    failed: (why: string) => `The models could not be loaded. ${why}`,
    retry: 'Try again',
    runs: (model: string, detector: string, device: string, threads: number) =>
      `${model} and ${detector}, running on the ${device === 'webgpu' ? 'graphics card (WebGPU)' : `CPU (WebAssembly, ${count(threads, 'thread')})`}.`,
    licence: (model: string, spdx: string, notice: string) => `${model}: ${spdx}. ${notice}`,
    about: 'About the models',
  },

  album: {
    drop: 'Drop photos or a folder here',
    dropHint: 'or paste a picture',
    touch: 'Add photos',
    touchHint: 'from this device',
    choose: 'Choose photos',
    chooseFolder: 'Choose a folder',
    more: 'Add photos',
    progress: (done: number, total: number) => `${done} of ${photos(total)}`,
    cancel: 'Cancel',
    clear: 'Start over',
    confirmClear: (said: number) =>
      `Remove all photos from this page, and ${said === 1 ? 'the name or answer' : `the ${said} names and answers`} that you gave?`,
    forgets: 'This browser keeps nothing here, or is full: photos and names are gone when you close the page.',
    none: 'No face was found in these photos.',
    without: (n: number) => `${photos(n)} ${n === 1 ? 'shows' : 'show'} none.`,
    copies: (n: number) => `${photos(n)} ${n === 1 ? 'was' : 'were'} here already.`,
    advice: (tinyFaces: boolean) =>
      tinyFaces
        ? 'Faces should be upright, well lit and at least 20 pixels wide.'
        : 'Faces should be upright and well lit. For tiny faces tick “Look for tiny faces”, start over and add the photos again.',
    unread: (n: number) =>
      n === 1 ? 'The file could not be read: see below why.' : `None of the ${n} files could be read: see below why.`,
    failed: (n: number) => `${count(n, 'file')} could not be read: see below why.`,
    passedOver: (names: readonly string[]) =>
      `Skipped ${count(names.length, 'file')} of other types: ${names.slice(0, 3).join(', ')}` +
      `${names.length > 3 ? ` and ${names.length - 3} more` : ''}. Supported formats are JPEG, PNG, WebP, AVIF and GIF.`,
    finished: (n: number, inPhotos: number) => `Finished: ${faces(n)} in ${photos(inPhotos)}.`,
    cancelled: (done: number, total: number) => `Cancelled after ${done} of ${photos(total)}.`,
    noImages: 'None of these files is a picture.',
    clips: (name: string) => `The people of ${name} are under Video.`,
    small: 'Look for tiny faces (slower)',
  },

  photos: {
    heading: 'How good is each face?',
    lead: 'Add photos to see a box and a recognition score for every face: 0 to 100, where 50 is an ordinary face.',
    verdict: (good: number, poor: number, all: number, cause: readonly [reason: string, faces: number] | undefined) =>
      `${good} of ${faces(all)} ${good === 1 ? 'is' : 'are'} good (50 or more), ` +
      (poor === 0
        ? 'none is poor.'
        : `${poor} ${poor === 1 ? 'is' : 'are'} poor (below 20${cause ? `: ${amongPoor(cause[1], poor)}${cause[0]}` : ''}).`),
    tools: 'Sort, filter and keep',
    sort: 'Order',
    orders: { best: 'Best first', worst: 'Worst first', found: 'As in the photos' },
    least: 'At least',
    flawed: 'Only faces with a problem',
    keepBest: 'Keep the best of each person',
    keepAll: 'Keep all',
    keepNone: 'Keep none',
    keptOf: (kept: number, all: number) => `${kept} of ${faces(all)} kept.`,
    csv: 'Download CSV',
    zip: (n: number) => `Download ${faces(n)} as zip`,
    zipping: (done: number, total: number) => `Cropping ${done} of ${total} …`,
    facesHeading: 'Faces',
    shown: (n: number, all: number) => (n === all ? faces(all) : `${n} of ${faces(all)} shown`),
    photosHeading: 'Photos',
    allPhotos: (n: number) => `Show all ${photos(n)}`,
    photoAlt: (name: string, n: number) => `${name}, ${faces(n)}`,
    photoCaption: (name: string, n: number) => `${name} · ${n === 0 ? 'no face found' : faces(n)}`,
    waiting: (name: string) => `${name} · waiting …`,
    enlarge: (name: string) => `Enlarge ${name}`,
    keep: 'Keep',
    keepFace: (number: number, name: string) => `Keep face ${number}, ${name}`,
    faceLabel: (number: number, name: string) => `Face ${number} of ${name}`,
    showFace: (number: number, name: string) => `Show face ${number} in ${name}`,
    nothingWrong: 'No visible problem.',
    legend: 'Quality',
    failedHeading: 'Files without a result',
  },

  people: {
    heading: 'Who is in these photos?',
    lead: 'Add photos to sort their faces by person. You can name people and correct the result; it is kept in this browser.',
    found: (n: number, all: number, photos: number) =>
      `${count(n, 'person', 'people')} in ${faces(all)}${photos === 0 ? '' : `; ${faces(photos)} too poor to tell whose`}.`,
    grouping: 'Sorting faces by person …',
    cannot: 'This model was never measured on pairs of faces, so the page cannot tell who is who with it.',
    person: (number: number) => `Person ${number}`,
    nameOf: (title: string) => `Name of ${title}`,
    namePlaceholder: 'Who is this?',
    faces,
    showAll: (n: number) => `All ${faces(n)}`,
    everybody: 'Everybody',
    same: 'The same person?',
    sameHint: 'These look alike, but not enough to be sure.',
    yesSame: 'Yes, the same',
    noSame: 'No, two people',
    belongs: 'Does this face belong here?',
    belongsHint: 'These resemble the other photos of their person little.',
    yesBelongs: 'Yes',
    noBelongs: 'No, someone else',
    notThem: (title: string) => `Not ${title}`,
    unplaced: 'Too poor to tell',
    unplacedHint: 'These faces are too small, blurred or covered to say whose they are.',
    more: (n: number) => `${count(n, 'more question')}: answer these first.`,
    undo: 'Undo',
    named: (title: string, name: string) => `${title} is now called ${name}.`,
    unnamed: (title: string) => `${title} has no name any more.`,
    joined: (a: string, b: string) => `${a} and ${b} are one person now.`,
    parted: (a: string, b: string) => `${a} and ${b} stay two people.`,
    confirmed: (title: string) => `The face stays with ${title}.`,
    faceParted: (title: string) => `The face is not ${title} any more.`,
    undone: (why: string) => `The last answer was taken back. ${why}`,
  },

  video: {
    heading: 'Who is in this clip?',
    lead: 'Add a clip to see its people, when they are in view, and the best shots of each. Nothing of it is stored.',
    found: (n: number, seconds: number) =>
      n === 0
        ? `Nobody was found in ${clock(seconds)} of video.`
        : `${count(n, 'person', 'people')} in ${clock(seconds)} of video.`,
    drop: 'Drop a clip here',
    touch: 'Add a clip',
    hint: 'of any format that this browser plays',
    choose: 'Choose a clip',
    another: 'Another clip',
    cancel: 'Cancel',
    clear: 'Start over',
    progress: (time: number, duration: number) =>
      duration === 0 ? 'Opening …' : `${clock(time)} of ${clock(duration)}`,
    finished: 'Finished: five pictures of each second were looked at.',
    nobody: 'Faces should be in view for at least two of five pictures in a second, upright and well lit.',
    noClip: 'This is not a video: choose a clip such as MP4 or WebM.',
    person: (number: number) => `Person ${number}`,
    seen: (seen: readonly (readonly [from: number, to: number])[], frames: number) =>
      `In view ${seen.map(([from, to]) => `${clock(from)} to ${clock(to)}`).join(', ')}; ${count(frames, 'picture')}.`,
    at: clock,
    quality: (score: string) => `quality ${score}`,
    shotAlt: (number: number, time: number) => `Person ${number} at ${clock(time)}`,
    save: 'Save',
    saveShot: (number: number, time: number) => `Save person ${number} at ${clock(time)}`,
  },

  viewer: {
    previous: 'Previous',
    next: 'Next',
    close: 'Close',
    noFace: 'No face was found in this photo.',
    showFace: (number: number) => `Show face ${number}`,
    numbers: ({ magnitude, detection, box }: AnalyzedFace) =>
      `${Math.round(box.width)} pixels wide. Length of the feature vector: ${magnitude.toFixed(2)}. Certainty of the detector: ${percent(detection)}.`,
  },

  camera: {
    heading: 'How good is your picture?',
    lead: 'Scores the camera picture live. It is neither sent nor stored.',
    start: 'Turn on the camera',
    stop: 'Turn it off',
    live: 'Live',
    video: 'Camera picture',
    noFace: 'There is no face in the picture.',
    noPicture: 'The score will appear here.',
    rate: (perSecond: number) => `${perSecond.toFixed(1)} pictures per second`,
    best: 'Best shot so far',
    noBest: 'The best picture will appear here.',
    again: 'Discard',
    save: 'Save',
    saveShot: (quality: number) => `Save the shot with quality ${quality}`,
    burst: 'Capture automatically',
    burstOn: 'On',
    burstHint: (above: number) => `Takes up to 24 shots, whenever the quality is ${above} or more.`,
    above: 'Minimum quality',
    shots: (n: number) => (n === 0 ? 'No shots yet.' : count(n, 'shot')),
    shotAlt: (quality: number) => `Shot with quality ${quality}`,
    zip: 'Download all as zip',
    clear: 'Discard all',
    refused: 'Camera access was denied: allow it in the browser’s address bar and try again.',
    absent: 'No camera found: connect one and try again.',
    busy: 'The camera is not available: another program may be using it.',
    insecure: 'Browsers allow camera access only over https or from localhost.',
  },

  compare: {
    heading: 'Same person or not?',
    lead: 'Choose two pictures.',
    sides: ['First picture', 'Second picture'] as const,
    choose: 'Choose a picture',
    drop: 'Drop a picture here',
    another: 'Choose another picture',
    looking: 'Searching …',
    noPicture: (name: string) => `${name} is not a picture: choose a JPEG, PNG, WebP, AVIF or GIF file.`,
    noFace: (name: string) => `No face was found in ${name}: choose a picture with a larger or sharper face.`,
    which: 'Which face?',
    face: (number: number) => `Face ${number}`,
    rate: 'Accepted false matches',
    rateOption: (rate: number) => `${oneIn(rate)} pairs of different people`,
    same: 'Most likely the same person',
    different: 'Most likely different people',
    undecided: 'No decision',
    similarity: 'Similarity',
    scale: (similarity: number, threshold: number) =>
      `Similarity ${similarity.toFixed(2)} on a scale from 0 (strangers) to 1 (the same picture); the threshold is ${threshold.toFixed(2)}.`,
    bound: (threshold: number) => `threshold ${threshold.toFixed(2)}`,
    meansSame: (threshold: number, rate: number) =>
      `The similarity is ${threshold.toFixed(3)} or more. Only ${oneIn(rate)} pairs of different people reaches that.`,
    meansDifferent: (threshold: number, rate: number) =>
      `The similarity is below ${threshold.toFixed(3)}, which ${oneIn(rate)} pairs of different people reaches. Pictures of the same person can be below it too, if they were taken years apart, show a turned face, or are of low quality.`,
    noThreshold: 'This model has no measured threshold, so the page can show only the similarity.',
    measuredOn: (set: string) => `Measured on ${set}. The rate may differ for other pictures and people.`,
    lowQuality: (sides: string) => `${sides} has low quality: do not rely on the result.`,
  },

  quality: 'Quality',
  /** What a quality means, in a word. */
  verdict: (quality: number | undefined): string =>
    quality === undefined
      ? 'length of the feature vector'
      : quality < 20
        ? 'poor'
        : quality < 50
          ? 'fair'
          : quality < 80
            ? 'good'
            : 'very good',
  reason: (reason: Reason): string => describeReason(reason),
  estimate: (estimate: Estimate): string => describeEstimate(estimate),
  reasonName: (code: Reason['code']): string => code.replaceAll('_', ' '),
  percent,
} as const;
