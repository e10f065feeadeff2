/** Frames of a video, decoded by the system's ffmpeg and read through a pipe. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { ConfigError, ImageError } from '../../errors.ts';
import type { Pixels } from '../../pixels.ts';

export interface FrameOptions {
  /** Frames per second. */
  readonly fps: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * @param clip - path of a file that ffmpeg reads
 * @returns frames, upright, in order: number i shows the clip at i / fps seconds; the pipe is read only as fast as frames are taken
 * @throws {ConfigError} if there is no ffmpeg on the PATH
 * @throws {ImageError} `image_unreadable` if ffmpeg cannot decode the clip
 */
export async function* videoFrames(clip: string, { fps, signal }: FrameOptions): AsyncGenerator<Pixels> {
  const path = /^[-a-z]+:/i.test(clip) ? `./${clip}` : clip; // never a protocol or a flag of ffmpeg
  const words = ['-nostdin', '-v', 'error', '-i', `file:${path}`, '-an', '-sn', '-vf', `fps=${fps}`];
  const ffmpeg = spawn('ffmpeg', [...words, '-f', 'image2pipe', '-c:v', 'ppm', '-pix_fmt', 'rgb24', 'pipe:1'], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(signal && { signal }),
  });
  let complaint = '';
  ffmpeg.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  const ended = once(ffmpeg, 'close').catch((cause: NodeJS.ErrnoException) => {
    signal?.throwIfAborted();
    if (cause.code !== 'ENOENT') throw cause;
    throw new ConfigError(
      'ffmpeg',
      { expected: 'ffmpeg on the PATH, which decodes videos,', problem: 'found none', remedy: 'install it' },
      {
        cause,
      },
    );
  });
  ended.catch(() => undefined); // thrown below
  try {
    let frames = 0;
    for await (const pixels of ppmImages(ffmpeg.stdout)) {
      frames++;
      yield pixels;
    }
    const [status] = (await ended) as [number | null];
    signal?.throwIfAborted();
    if (status !== 0 || frames === 0) throw unreadable(clip, complaint);
  } finally {
    ffmpeg.kill();
  }
}

function unreadable(clip: string, complaint: string): ImageError {
  const why = complaint.trim().split('\n').at(-1) || 'it has no video frames';
  return new ImageError('image_unreadable', clip, {
    expected: 'a video',
    problem: `ffmpeg cannot decode ${clip} (${why})`,
    remedy: 'convert it',
  });
}

/**
 * Binary PPM images, one after the other: `P6`, width, height and 255 as text, then RGB.
 *
 * @see netpbm's ppm(5)
 */
export async function* ppmImages(stream: AsyncIterable<Buffer>): AsyncGenerator<Pixels> {
  let header = '';
  let image: { readonly pixels: Pixels; filled: number } | undefined;
  for await (const chunk of stream) {
    for (let at = 0; at < chunk.length; ) {
      if (image === undefined) {
        header += String.fromCharCode(chunk[at++]!);
        const [, width, height] = /^P6\s(\d+)\s(\d+)\s255\s$/.exec(header) ?? [];
        if (width === undefined || height === undefined) continue;
        const pixels = {
          data: new Uint8Array(3 * Number(width) * Number(height)),
          width: Number(width),
          height: Number(height),
        };
        image = { pixels, filled: 0 };
        header = '';
      }
      const { pixels, filled } = image;
      const part = chunk.subarray(at, at + pixels.data.length - filled);
      pixels.data.set(part, filled);
      at += part.length;
      image.filled += part.length;
      if (image.filled < pixels.data.length) continue;
      yield pixels;
      image = undefined;
    }
  }
}
