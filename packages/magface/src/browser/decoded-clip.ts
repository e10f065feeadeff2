/// <reference lib="dom" preserve="true" />
/** Decodes a clip by WebCodecs: mediabunny takes the container apart, the browser's `VideoDecoder` decodes. */
import type { InputVideoTrack, VideoSample } from 'mediabunny';
import { ConfigError, ImageError } from '../errors.ts';
import { clipName, type OpenClip } from './clip.ts';
import { importMediabunny, type MediabunnyParts } from './mediabunny.ts';

/** Seconds by which a frame may start late: containers and decoders round times to microseconds. */
const rounding = 1e-6;

/**
 * @param clip - an MP4, MOV, WebM or Matroska file
 * @param signal - ends reading
 * @throws {ConfigError} if the browser has no `VideoDecoder`, or mediabunny is not installed
 * @throws {ImageError} if the clip cannot be decoded
 */
export async function decodedClip(clip: Blob, signal?: AbortSignal): Promise<OpenClip> {
  const name = clipName(clip);
  const { BlobSource, Input, MATROSKA, MP4, QTFF, VideoSampleSink, WEBM } = await loadMediabunny();
  signal?.throwIfAborted();
  // A failed read ahead of need is reported again by the read that needs it.
  const source = new BlobSource(clip, { handleUnhandledError: () => undefined });
  const input = new Input({ source, formats: [MP4, QTFF, MATROSKA, WEBM] });
  const close = (): void => {
    signal?.removeEventListener('abort', close);
    input.dispose();
  };
  signal?.addEventListener('abort', close);
  try {
    const track = await input.getPrimaryVideoTrack();
    if (track === null) throw undecodable(name, 'has no pictures');
    if (!(await track.canDecode())) throw undecodable(name, 'is of a format that this browser does not decode');
    await nameColours(track);
    const [first, duration] = [await track.getFirstTimestamp(), await input.computeDuration()];
    const sink = new VideoSampleSink(track);
    return {
      source: 'webcodecs',
      duration,
      frames: async function* (fps, from = 0) {
        try {
          yield* framesAt(frameTimes({ first, duration, fps, from }), sink.samples());
        } catch (error) {
          throw reasonOf(error, name, signal);
        }
      },
      close,
    };
  } catch (error) {
    close();
    throw reasonOf(error, name, signal);
  }
}

async function loadMediabunny(): Promise<MediabunnyParts> {
  const remedy = 'use source "auto" or "element"';
  if (!('VideoDecoder' in globalThis)) {
    throw new ConfigError('source', {
      expected: 'a browser with WebCodecs',
      problem: 'it has no VideoDecoder',
      remedy,
    });
  }
  return importMediabunny().catch((cause: unknown) => {
    throw new ConfigError(
      'source',
      {
        expected: 'mediabunny for source "webcodecs"',
        problem: 'it cannot be loaded',
        remedy: `npm install mediabunny, or ${remedy}`,
      },
      { cause },
    );
  });
}

/** Which frames to read. */
interface FrameTimes {
  /** Seconds at which the pictures begin, which sound may precede. */
  readonly first: number;
  /** Seconds. */
  readonly duration: number;
  readonly fps: number;
  /** Number of the first frame to read. */
  readonly from: number;
}

/** Before the first picture, the first picture shows. */
export function* frameTimes({ first, duration, fps, from }: FrameTimes): Generator<number> {
  for (let index = from; index === 0 || index / fps < duration; index++) yield Math.max(first, index / fps) + rounding;
}

/**
 * mediabunny could also look up each time, but loses frames of recordings without an index. All frames are decoded either way,
 * as each needs the one before.
 */
async function* framesAt(
  times: Iterable<number>,
  samples: AsyncGenerator<VideoSample, void>,
): AsyncGenerator<ImageBitmap> {
  let next = await samples.next();
  let shown: VideoSample | undefined;
  try {
    for (const time of times) {
      while (next.done !== true && (shown === undefined || timeOf(next.value) <= time)) {
        shown?.close();
        shown = next.value;
        next = await samples.next();
      }
      if (shown === undefined) throw new Error('the decoder gave no frame');
      yield picture(shown);
    }
  } finally {
    shown?.close();
    if (next.done !== true) next.value.close();
    await samples.return();
  }
}

/**
 * The decoder's own time of a frame. mediabunny counts frames instead, and VP8 may have some that are never shown.
 *
 * @returns seconds
 */
function timeOf(sample: VideoSample): number {
  const frame = sample.toCanvasImageSource();
  return frame instanceof VideoFrame ? frame.timestamp / 1e6 : sample.timestamp;
}

/** @returns the sample upright, with square pixels */
function picture(sample: VideoSample): ImageBitmap {
  const canvas = new OffscreenCanvas(sample.displayWidth, sample.displayHeight);
  sample.draw(canvas.getContext('2d')!, 0, 0);
  return canvas.transferToImageBitmap();
}

/**
 * Pictures that do not name their colours are BT.601 below 720 rows, as Chromium's video elements show them. mediabunny would
 * call all of them BT.709.
 */
async function nameColours(track: InputVideoTrack): Promise<void> {
  const config = await track.getDecoderConfig();
  if (config === null || config.colorSpace?.matrix != null || (await track.getCodedHeight()) >= 720) return;
  const colorSpace = { primaries: 'smpte170m', transfer: 'smpte170m', matrix: 'smpte170m', fullRange: false } as const;
  track.getDecoderConfig = async () => ({ ...config, colorSpace });
}

function reasonOf(error: unknown, name: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted === true) return signal.reason;
  return error instanceof ImageError ? error : undecodable(name, 'cannot be decoded by this browser', error);
}

const undecodable = (name: string, problem: string, cause?: unknown): ImageError =>
  new ImageError(
    'image_unreadable',
    name,
    {
      expected: 'a video that this browser decodes',
      subject: name,
      problem,
      remedy: 'convert it to MP4 with H.264, or use source "auto"',
    },
    { cause },
  );
