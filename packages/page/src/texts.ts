/** Every English text of the page: a translation is another file like this one. Reasons are the library's own words. */
import { describeReason, type Reason } from 'magface/browser';

const count = (n: number, one: string, many = `${one}s`): string => `${n.toLocaleString('en')} ${n === 1 ? one : many}`;
const photos = (n: number): string => count(n, 'photo');
const faces = (n: number): string => count(n, 'face');
const percent = (share: number): string => `${Math.round(100 * share)} %`;
const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(1);
/** How many of the poor faces a reason is true of, to stand before it; nothing where it is true of the only one. */
const amongPoor = (faces: number, poor: number): string =>
  faces < poor ? `${faces} of them ` : poor === 1 ? '' : 'all of them ';
/** 0.001 as "1 in 1,000". */
const oneIn = (rate: number): string => `1 in ${Math.round(1 / rate).toLocaleString('en')}`;

export const texts = {
  language: 'en',
  title: 'MagFace',
  skip: 'Skip to the content',
  nav: { label: 'What to do', photos: 'Photos', camera: 'Camera', compare: 'Compare' },
  theme: { toDark: 'Dark', toLight: 'Light', label: 'Colours' },
  privacy: 'Nothing leaves this device.',

  engine: {
    loading: (received: number, total: number) =>
      total > 0 ? `Loading the models: ${megabytes(received)} of ${megabytes(total)} MB, once.` : 'Getting ready …',
    opening: 'Opening the models …',
    failed: (why: string) => `The models could not be loaded. ${why}`,
    retry: 'Try again',
    runs: (model: string, detector: string, device: string, threads: number) =>
      `${model} and ${detector}, on ${device === 'webgpu' ? 'the graphics card (WebGPU)' : `the processor (WebAssembly, ${count(threads, 'thread')})`}.`,
    licence: (model: string, spdx: string, notice: string) => `${model}: ${spdx}. ${notice}`,
    about: 'About the models',
  },

  photos: {
    heading: 'How good is each face?',
    lead: 'Drop photos and see every face boxed and scored for recognition: 0 to 100, about its percentile among ordinary faces.',
    drop: 'Drop photos or a folder here',
    dropHint: 'or paste a picture',
    choose: 'Choose photos',
    chooseFolder: 'Choose a folder',
    more: 'Add photos',
    progress: (done: number, total: number) => `${done} of ${photos(total)}`,
    cancel: 'Cancel',
    clear: 'Start over',
    none: 'No face was found in these photos.',
    without: (n: number) => `${photos(n)} ${n === 1 ? 'shows' : 'show'} none.`,
    advice: (tinyFaces: boolean) =>
      tinyFaces
        ? 'Faces should be upright, in light and at least 20 pixels wide.'
        : 'Faces should be upright and in light; for tiny ones check “Look for tiny faces” and add the photos again.',
    unread: (n: number) =>
      n === 1 ? 'The file could not be read: see below why.' : `None of the ${n} files could be read: see below why.`,
    failed: (n: number) => `${count(n, 'file')} could not be read: see below why.`,
    passedOver: (names: readonly string[]) =>
      `Passed over ${count(names.length, 'file')} of other kinds: ${names.slice(0, 3).join(', ')}` +
      `${names.length > 3 ? ` and ${names.length - 3} more` : ''}. Pictures are JPEG, PNG, WebP, AVIF or GIF files.`,
    verdict: (good: number, poor: number, all: number, cause: readonly [reason: string, faces: number] | undefined) =>
      `${good} of ${faces(all)} ${good === 1 ? 'is' : 'are'} good (50 or more), ` +
      (poor === 0
        ? 'none is poor.'
        : `${poor} ${poor === 1 ? 'is' : 'are'} poor (below 20${cause ? `: ${amongPoor(cause[1], poor)}${cause[0]}` : ''}).`),
    finished: (n: number, inPhotos: number) => `Finished: ${faces(n)} in ${photos(inPhotos)}.`,
    cancelled: (done: number, total: number) => `Cancelled after ${done} of ${photos(total)}.`,
    noImages: 'There was no picture among what you gave.',
    tools: 'Sort, filter and keep',
    sort: 'Order',
    orders: { best: 'Best first', worst: 'Worst first', found: 'As in the photos' },
    least: 'At least',
    flawed: 'With something wrong',
    small: 'Look for tiny faces (slower)',
    keepBest: 'Keep the best of each person',
    keepAll: 'Keep all',
    keepNone: 'Keep none',
    keptOf: (kept: number, all: number, people: number | undefined) =>
      people === undefined
        ? `${kept} of ${faces(all)} kept.`
        : `${kept} of ${faces(all)} kept: ${count(people, 'person', 'people')} told apart.`,
    csv: 'Download CSV',
    zip: (n: number) => `Download ${faces(n)} as zip`,
    zipping: (done: number, total: number) => `Cutting out ${done} of ${total} …`,
    facesHeading: 'Faces',
    shown: (n: number, all: number) => (n === all ? faces(all) : `${n} of ${faces(all)} shown`),
    photosHeading: 'Photos',
    allPhotos: (n: number) => `Show all ${photos(n)}`,
    photoAlt: (name: string, n: number) => `${name}, ${faces(n)}`,
    photoCaption: (name: string, n: number) => `${name} · ${n === 0 ? 'no face found' : faces(n)}`,
    keep: 'Keep',
    keepFace: (number: number, name: string) => `Keep face ${number}, ${name}`,
    faceLabel: (number: number, name: string) => `Face ${number} of ${name}`,
    person: (number: number) => `Person ${number}`,
    nothingWrong: 'Nothing is visibly wrong.',
    unexplained: 'Low without a plain reason.',
    legend: 'Quality',
    failedHeading: 'Without a result',
  },

  camera: {
    heading: 'How good is your picture?',
    lead: 'The camera’s picture is scored as it comes. It is neither sent nor kept.',
    start: 'Turn on the camera',
    stop: 'Turn it off',
    live: 'Live',
    video: 'The camera’s picture',
    noFace: 'No face is in the picture.',
    noPicture: 'The score will stand here.',
    rate: (perSecond: number) => `${perSecond.toFixed(1)} pictures a second`,
    best: 'Best shot so far',
    noBest: 'The best picture will stand here.',
    again: 'Forget it',
    save: 'Save',
    saveShot: (quality: number) => `Save the shot of quality ${quality}`,
    burst: 'Capture by itself',
    burstOn: 'On',
    burstHint: (above: number) => `Keeps a shot whenever the quality is ${above} or more, up to 24.`,
    above: 'From quality',
    shots: (n: number) => (n === 0 ? 'No shot yet.' : count(n, 'shot')),
    shotAlt: (quality: number) => `Shot of quality ${quality}`,
    zip: 'Download all as zip',
    clear: 'Forget all',
    refused: 'The camera was not allowed: allow it in the browser’s address bar and try again.',
    absent: 'No camera was found: connect one and try again.',
    busy: 'The camera cannot be used: another program may have it.',
    insecure: 'Browsers give the camera only to pages of this machine or over https.',
  },

  compare: {
    heading: 'One person, or two?',
    lead: 'Choose a picture on each side.',
    sides: ['First picture', 'Second picture'] as const,
    choose: 'Choose a picture',
    drop: 'Drop a picture here',
    another: 'Another picture',
    looking: 'Looking …',
    noPicture: (name: string) => `${name} is no picture: choose a JPEG, PNG, WebP, AVIF or GIF file.`,
    noFace: (name: string) => `No face was found in ${name}: take a picture that shows one larger or sharper.`,
    which: 'Which face?',
    face: (number: number) => `Face ${number}`,
    rate: 'Allowed mistakes',
    rateOption: (rate: number) => `${oneIn(rate)} pairs of different people`,
    same: 'Most likely the same person',
    different: 'Most likely different people',
    undecided: 'No decision',
    similarity: 'Similarity',
    scale: (similarity: number, threshold: number) =>
      `Similarity ${similarity.toFixed(2)} on a scale from 0, strangers, to 1, the same picture; the bound lies at ${threshold.toFixed(2)}.`,
    bound: (threshold: number) => `bound ${threshold.toFixed(2)}`,
    meansSame: (threshold: number, rate: number) =>
      `The similarity is at or above ${threshold.toFixed(3)}. Of pairs of different people only ${oneIn(rate)} comes that high.`,
    meansDifferent: (threshold: number, rate: number) =>
      `The similarity is below ${threshold.toFixed(3)}, the bound that ${oneIn(rate)} pairs of different people passes. Pictures of one person can fall below it too: years apart, turned away, or of low quality.`,
    noThreshold: 'This model carries no measured bound, so that only the similarity can be told.',
    measuredOn: (set: string) => `Measured on ${set}. For other pictures and people the rate may differ.`,
    lowQuality: (sides: string) => `${sides} is of low quality: do not rely on the answer.`,
  },

  quality: 'Quality',
  magnitude: (value: number) => `magnitude ${value.toFixed(2)}`,
  reason: (reason: Reason): string => describeReason(reason),
  reasonName: (code: Reason['code']): string => code.replaceAll('_', ' '),
  percent,
} as const;
