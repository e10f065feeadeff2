/** A clip of 1920x1080 by ffmpeg: slow zooms over four scenes of photos, with the first people again in the last. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

export interface Scenes {
  readonly clipSeconds: number;
  /** Path of the photo of the third scene, which shows one person. */
  readonly portrait: string;
}

/**
 * @param photos - `photos/` of the research data
 * @param clip - the file to write
 * @param encoder - ffmpeg's words that choose size, encoder and container
 * @param sceneSeconds - of each of the four
 */
export function makeScenes(photos: string, clip: string, encoder: readonly string[], sceneSeconds = 4): Scenes {
  const portrait = join(photos, 'congress', readdirSync(join(photos, 'congress')).sort()[0]!);
  const scenes = [join(photos, 'couple.jpg'), join(photos, 'img67.jpg'), portrait, join(photos, 'couple.jpg')];
  const filters = scenes.map(
    (_, i) =>
      `[${i}:v]scale=1920:1080:force_original_aspect_ratio=decrease,pad=1920:1080:-1:-1,zoompan=z='1+0.002*on':d=1:s=1920x1080:fps=25,trim=duration=${sceneSeconds},setsar=1[s${i}]`,
  );
  const joined = `${scenes.map((_, i) => `[s${i}]`).join('')}concat=n=${scenes.length}:v=1,format=yuv420p`;
  execFileSync('ffmpeg', [
    ...['-nostdin', '-v', 'error'],
    ...scenes.flatMap((photo) => ['-loop', '1', '-t', String(sceneSeconds), '-i', photo]),
    ...['-filter_complex', [...filters, joined].join(';'), ...encoder, clip],
  ]);
  return { clipSeconds: sceneSeconds * scenes.length, portrait };
}
