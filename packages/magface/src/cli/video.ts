/** `magface video`: the people of a clip and the best shots of each. */
import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { expectFileTarget, expectFolderTarget } from '../format/write-target.ts';
import { makeFolder } from '../machine/make-folder.ts';
import { printedQuality } from '../quality.ts';
import { clock } from '../report/video-page.ts';
import type { ConfigOf } from '../settings/setting.ts';
import type { VideoPerson, VideoShot } from '../video/video-people.ts';
import { type Context, note } from './context.ts';
import type { ExitCode } from './errors.ts';
import { engineSettings, finderSettings, formatOf, outputSettings } from './options.ts';
import { type Column, createRows } from './output.ts';
import { loadMagFace } from './run-images.ts';
import { addSettings } from './setting-flags.ts';

const group = 'Video:';

const settings = {
  fps: { group, takes: 'count', value: '<n>', says: 'frames to look at per second', default: 5 },
  best: { group, takes: 'count', value: '<n>', says: 'shots per person, at least a second apart', default: 1 },
  output: { group, takes: 'text', value: '<dir>', says: 'save the shots as JPEG files in a folder' },
  report: { group, takes: 'text', value: '<file.html>', says: 'write a page with the people and their shots' },
  fmr: {
    group,
    takes: 'rate',
    value: '<rate>',
    says: 'highest acceptable false match rate when tracks are joined',
    default: 0.0001,
  },
  ...finderSettings,
  ...engineSettings,
  ...outputSettings,
} as const;

type Flags = ConfigOf<typeof settings>;

/** Milliseconds between lines of progress: the length of a clip is not known before its end. */
const noteInterval = 5000;

const examples = `
Faces are followed from frame to frame, and tracks of one person are joined. The
template of a person is the sum of the features of all frames, so that better
frames count more. ffmpeg must be on the PATH.

Examples:
  magface video party.mp4 --report party.html
  magface video party.mp4 --best 3 --output best/ --json`;

export function defineVideo(command: Command, context: Context, done: (exitCode: ExitCode) => void): void {
  command
    .description('Find the people in a video and the best shots of each, with their times.')
    .argument('<clip>', 'a video file that ffmpeg reads');
  addSettings(command, settings).addHelpText('after', examples);
  command.action(async (clip: string, flags: Flags) => done(await video(clip, flags, context)));
}

/** A person as JSON has it. */
interface VideoRow {
  readonly person: number;
  readonly frames: number;
  readonly seen: VideoPerson['seen'];
  readonly best: readonly {
    readonly time: number;
    readonly quality: number | null;
    readonly magnitude: number;
    readonly box: VideoShot['face']['box'];
    readonly output?: string;
  }[];
}

async function video(clip: string, flags: Flags, context: Context): Promise<ExitCode> {
  await expectFileTarget(flags.report, 'report');
  await expectFolderTarget(flags.output);
  const people = await analyzed(clip, flags, context);
  if (flags.output !== undefined) await saveShots(people.found, flags.output);
  const printed = createRows(context.stdout, { format: formatOf(flags), table });
  for (const [i, person] of people.found.entries()) await printed.write(rowOf(person, i + 1, flags.output));
  await printed.close();
  if (flags.report !== undefined) await writeReport(flags.report, { clip: basename(clip), fps: flags.fps, ...people });
  return 0;
}

async function analyzed(
  clip: string,
  flags: Flags,
  context: Context,
): Promise<{ found: VideoPerson[]; duration: number }> {
  const magface = await loadMagFace(flags, context, Number.POSITIVE_INFINITY);
  const { analyzeVideo } = await import('../video/node/analyze-video.ts');
  let duration = 0;
  let told = performance.now();
  try {
    const found = await analyzeVideo(clip, magface, {
      ...{ fps: flags.fps, best: flags.best, fmr: flags.fmr, minScore: flags.minFaceScore, minFace: flags.minFace },
      signal: context.signal,
      onFrame: (time) => {
        duration = time + 1 / flags.fps;
        if (flags.quiet === true || performance.now() - told < noteInterval) return;
        told = performance.now();
        note(context, `${clock(duration)} of video`);
      },
    });
    return { found, duration };
  } finally {
    await magface[Symbol.asyncDispose]();
  }
}

const table: readonly Column<VideoRow>[] = [
  { title: 'person', value: ({ person }) => person, layout: 'right' },
  { title: 'frames', value: ({ frames }) => frames, layout: 'right' },
  { title: 'first seen', value: ({ seen }) => clock(seen[0]![0]), layout: 'right' },
  { title: 'last seen', value: ({ seen }) => clock(Math.max(...seen.map(([, to]) => to))), layout: 'right' },
  { title: 'best at', value: ({ best }) => best.map(({ time }) => clock(time)).join(', '), layout: 'wrap' },
  {
    title: 'quality',
    value: ({ best }) => (best[0]!.quality === null ? undefined : Math.round(best[0]!.quality)),
    layout: 'right',
  },
];

const rowOf = ({ frames, seen, best }: VideoPerson, person: number, folder: string | undefined): VideoRow => ({
  ...{ person, frames, seen },
  best: best.map(({ time, face: { quality = null, magnitude, box } }, i) => ({
    ...{ time, quality: printedQuality(quality), magnitude, box },
    ...(folder !== undefined && { output: join(folder, fileOf(person, i, time)) }),
  })),
});

/** `person-1_1_12.4s.jpg`: the person, the rank of the shot, its time. */
const fileOf = (person: number, rank: number, time: number): string =>
  `person-${person}_${rank + 1}_${time.toFixed(1)}s.jpg`;

async function saveShots(people: readonly VideoPerson[], folder: string): Promise<void> {
  const { saveJpeg } = await import('./pictures.ts');
  await makeFolder(folder);
  for (const [i, { best }] of people.entries())
    for (const [rank, { time, picture }] of best.entries())
      await saveJpeg(join(folder, fileOf(i + 1, rank, time)), picture);
}

/** Pixels of a picture on the page: sharp at twice the density. */
const pictureSide = 320;

interface Found {
  readonly clip: string;
  readonly fps: number;
  readonly found: readonly VideoPerson[];
  readonly duration: number;
}

async function writeReport(file: string, { clip, fps, found, duration }: Found): Promise<void> {
  const { shrunkPicture } = await import('./pictures.ts');
  const { videoPage } = await import('../report/video-page.ts');
  const people = await Promise.all(
    found.map(async ({ frames, seen, best }, i) => ({
      ...{ number: i + 1, frames, seen },
      best: await Promise.all(
        best.map(async ({ time, face: { quality = null }, picture }) => ({
          ...{ time, quality },
          picture: await shrunkPicture(picture, pictureSide),
        })),
      ),
    })),
  );
  await writeFile(file, videoPage({ clip, fps, duration, people }));
}
