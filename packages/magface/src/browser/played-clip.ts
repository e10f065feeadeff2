/// <reference lib="dom" preserve="true" />
/** Reads frames of a clip through a video element, which plays nowhere and is moved from frame to frame. */
import { ImageError } from '../errors.ts';
import { clipName, type OpenClip } from './clip.ts';

/**
 * @param clip - a video file
 * @param signal - ends waiting
 * @throws {ImageError} if the browser cannot play it
 */
export async function playedClip(clip: Blob, signal?: AbortSignal): Promise<OpenClip> {
  const name = clipName(clip);
  const video = document.createElement('video');
  Object.assign(video, { muted: true, playsInline: true, preload: 'auto' });
  const address = URL.createObjectURL(clip);
  const close = (): void => {
    video.removeAttribute('src');
    video.load(); // frees the decoder
    URL.revokeObjectURL(address);
  };
  const moveTo = (seconds: number): Promise<void> =>
    once(video, 'seeked', { name, signal, start: () => (video.currentTime = seconds) });
  try {
    await once(video, 'loadeddata', { name, signal, start: () => (video.src = address) });
    // Recorders of browsers write no duration: the end is known after a move behind it.
    if (!Number.isFinite(video.duration)) await moveTo(1e6);
    if (video.videoWidth === 0) throw unplayable(name, 'has no pictures');
    return {
      source: 'element',
      duration: video.duration,
      frames: async function* (fps, from = 0) {
        for (let index = from; index === 0 || index / fps < video.duration; index++) {
          await moveTo(index / fps);
          yield await createImageBitmap(video);
        }
      },
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}

interface Waiting {
  readonly name: string;
  readonly signal: AbortSignal | undefined;
  readonly start: () => void;
}

/** Starts something and waits for the element to say that it is done. */
function once(video: HTMLVideoElement, event: string, { name, signal, start }: Waiting): Promise<void> {
  return new Promise((resolve, reject) => {
    const over = new AbortController();
    const end = (finish: () => void) => (): void => {
      over.abort();
      finish();
    };
    const listen = { signal: over.signal };
    video.addEventListener(event, end(resolve), listen);
    video.addEventListener(
      'error',
      end(() => reject(unplayable(name, 'cannot be played by this browser'))),
      listen,
    );
    signal?.addEventListener(
      'abort',
      end(() => reject(signal.reason)),
      listen,
    );
    if (signal?.aborted === true) end(() => reject(signal.reason))();
    else start();
  });
}

const unplayable = (name: string, problem: string): ImageError =>
  new ImageError('image_unreadable', name, {
    expected: 'a video that this browser plays',
    subject: name,
    problem,
    remedy: 'convert it to MP4 with H.264',
  });
