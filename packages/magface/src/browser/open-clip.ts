/** Chooses how the frames of a clip are read: decoded by WebCodecs where that is possible, else shown by a video element. */
import type { FrameSource, OpenClip } from './clip.ts';
import { decodedClip } from './decoded-clip.ts';
import { playedClip } from './played-clip.ts';

/** How to open a clip. */
export interface ClipOptions {
  readonly source: FrameSource | 'auto';
  /** Ends waiting. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * `auto` takes the video element if there is no `VideoDecoder` or no mediabunny, if the decoder does not know the format, or
 * from the frame on at which it fails.
 *
 * @throws {ConfigError} if `webcodecs` is requested and not available
 * @throws {ImageError} if the clip cannot be read
 */
export async function openClip(clip: Blob, { source, signal }: ClipOptions): Promise<OpenClip> {
  if (source === 'element') return playedClip(clip, signal);
  if (source === 'webcodecs') return decodedClip(clip, signal);
  const decoded = await decodedClip(clip, signal).catch(() => undefined);
  signal?.throwIfAborted();
  return decoded === undefined ? playedClip(clip, signal) : elseByElement(decoded, () => playedClip(clip, signal));
}

/** @param play - opens the clip in a video element once the decoder has failed; throws if reading was aborted */
export function elseByElement(decoded: OpenClip, play: () => Promise<OpenClip>): OpenClip {
  let clip = decoded;
  let isClosed = false;
  return {
    get source() {
      return clip.source;
    },
    get duration() {
      return clip.duration;
    },
    frames: async function* (fps, from = 0) {
      let next = from;
      try {
        for await (const frame of clip.frames(fps, next)) {
          next++;
          yield frame;
        }
        return;
      } catch (error) {
        if (isClosed) throw error;
        clip.close();
      }
      clip = await play();
      if (isClosed) clip.close();
      else yield* clip.frames(fps, next);
    },
    close: () => {
      isClosed = true;
      clip.close();
    },
  };
}
