/** Runs camera frames through the library one by one: the current result, the best shot, and captured shots. */
import { batch, signal } from '@preact/signals';
import type { AnalyzedFace, MagFace } from 'magface/browser';
import { openLibrary } from '../library.ts';
import { cutOut } from '../shared/pictures.ts';
import { texts } from '../texts.ts';

/** A captured face, cropped from a camera frame. */
export interface Shot {
  readonly id: number;
  readonly face: AnalyzedFace;
  readonly picture: Blob;
  /** Object URL of the picture, revoked when the shot is discarded. */
  readonly address: string;
}

export interface Seen {
  readonly width: number;
  readonly height: number;
  readonly faces: readonly AnalyzedFace[];
}

export const camera = signal<'off' | 'starting' | 'on'>('off');
export const problem = signal<string | undefined>(undefined);
export const seen = signal<Seen | undefined>(undefined);
export const rate = signal(0);
export const best = signal<Shot | undefined>(undefined);
export const shots = signal<readonly Shot[]>([]);
export const burst = signal({ on: false, above: 60 });

const mostShots = 24;
/** Minimum time between automatic shots in milliseconds; closer frames look alike. */
const pause = 400;

/** Aborts the last start, with its stream and its loop. */
let started: AbortController | undefined;
let nextId = 0;
let lastShot = 0;

/** Resolves when the camera is off: after `stopCamera`, another start, or a `problem`. */
export async function startCamera(video: HTMLVideoElement): Promise<void> {
  stopCamera(video);
  started = new AbortController();
  const { signal } = started;
  problem.value = undefined;
  camera.value = 'starting';
  try {
    video.srcObject = await openStream(signal);
    await video.play();
    const magface = await openLibrary();
    signal.throwIfAborted();
    camera.value = 'on';
    await watch(video, magface, signal);
  } catch (error) {
    if (signal.aborted) return; // stopped in the meantime
    stopCamera(video);
    problem.value = wordsFor(error);
  }
}

export function stopCamera(video: HTMLVideoElement | null): void {
  started?.abort();
  if (video) video.srcObject = null;
  batch(() => {
    camera.value = 'off';
    seen.value = undefined;
    rate.value = 0;
  });
}

export function forgetBest(): void {
  forget(best.value);
  best.value = undefined;
}

export function forgetShots(): void {
  for (const shot of shots.value) forget(shot);
  shots.value = [];
}

/** @returns the camera's stream. It ends with its start, even if that was stopped before permission was granted. */
async function openStream(signal: AbortSignal): Promise<MediaStream> {
  if (navigator.mediaDevices === undefined) throw new DOMException('', 'SecurityError');
  const video = { facingMode: 'user', width: { ideal: 1280 }, height: { ideal: 720 } };
  const stream = await navigator.mediaDevices.getUserMedia({ video, audio: false });
  const end = (): void => {
    for (const track of stream.getTracks()) track.stop();
  };
  signal.addEventListener('abort', end, { once: true });
  if (signal.aborted) end();
  signal.throwIfAborted();
  return stream;
}

/** Processes one frame at a time while the camera is on, without a queue, so that a slow machine skips frames. */
async function watch(video: HTMLVideoElement, magface: MagFace, signal: AbortSignal): Promise<void> {
  for (;;) {
    const start = performance.now();
    const frame = await createImageBitmap(video);
    try {
      await look(frame, magface, signal);
    } finally {
      frame.close();
    }
    await nextPicture(video);
    signal.throwIfAborted();
    const now = 1000 / (performance.now() - start);
    rate.value = rate.value === 0 ? now : 0.8 * rate.value + 0.2 * now;
  }
}

async function look(frame: ImageBitmap, magface: MagFace, signal: AbortSignal): Promise<void> {
  const { width, height } = frame;
  // People in front of a camera are close: look for up to four faces of at least a sixth of the height.
  const faces = await magface.analyze(frame, { minFace: height / 6, maxFaces: 4 });
  signal.throwIfAborted();
  seen.value = { width, height, faces };
  const face = faces[0];
  if (face === undefined) return;
  const isBest = best.value === undefined || face.magnitude > best.value.face.magnitude;
  const now = performance.now();
  const { on, above } = burst.value;
  const isShot = on && shots.value.length < mostShots && (face.quality ?? 0) >= above && now - lastShot >= pause;
  if (!isBest && !isShot) return;
  const picture = await cutOut(frame, face.box);
  signal.throwIfAborted();
  if (isBest) {
    forget(best.value);
    best.value = newShot(face, picture);
  }
  if (isShot) {
    lastShot = now;
    shots.value = [...shots.value, newShot(face, picture)];
  }
}

const newShot = (face: AnalyzedFace, picture: Blob): Shot => ({
  id: nextId++,
  face,
  picture,
  address: URL.createObjectURL(picture),
});

function forget(shot: Shot | undefined): void {
  if (shot !== undefined) URL.revokeObjectURL(shot.address);
}

/** A hidden page gets no frames and so does no work. */
const nextPicture = (video: HTMLVideoElement): Promise<void> =>
  new Promise((resolve) => {
    if ('requestVideoFrameCallback' in video && !document.hidden) {
      const timer = setTimeout(resolve, 500); // an unplugged camera sends no more frames
      video.requestVideoFrameCallback(() => {
        clearTimeout(timer);
        resolve();
      });
    } else setTimeout(resolve, 200);
  });

function wordsFor(error: unknown): string {
  const name = error instanceof Error ? error.name : '';
  if (name === 'NotAllowedError') return texts.camera.refused;
  if (name === 'NotFoundError' || name === 'OverconstrainedError') return texts.camera.absent;
  if (name === 'NotReadableError') return texts.camera.busy;
  if (name === 'SecurityError') return texts.camera.insecure;
  return error instanceof Error ? error.message : String(error);
}
