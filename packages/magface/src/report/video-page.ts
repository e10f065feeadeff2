/** The page of a video's people: the best shots of each with their times. */
import { counted, escaped, page } from './page.ts';

/** A person on the page. */
export interface ShownVideoPerson {
  readonly number: number;
  readonly frames: number;
  /** Start and end in seconds. */
  readonly seen: readonly (readonly [number, number])[];
  readonly best: readonly { readonly time: number; readonly quality: number | null; readonly picture: string }[];
}

/** Data of the page. */
export interface VideoPage {
  readonly clip: string;
  readonly fps: number;
  /** Seconds looked at. */
  readonly duration: number;
  readonly people: readonly ShownVideoPerson[];
}

/** @returns the whole HTML file */
export function videoPage({ clip, fps, duration, people }: VideoPage): string {
  return page({
    title: `People in ${clip}`,
    body: `<header><div><h1>People in ${escaped(clip)}</h1>
<p class="verdict">${counted(people.length, 'person').replace('persons', 'people')} in ${clock(duration)} of video.</p></div></header>
<p class="soft">The best shots of each person by quality, and when they are in view, from ${fps} frames per second.</p>
${people.map(section).join('\n')}`,
  });
}

const section = ({ number, frames, seen, best }: ShownVideoPerson): string =>
  `<section><h2>Person ${number}</h2><p class="soft">In view ${seen.map(([from, to]) => `${clock(from)} to ${clock(to)}`).join(', ')}; ${counted(frames, 'frame')}.</p>
<ul class="strip" style="grid-template-columns: repeat(auto-fill, minmax(180px, 1fr))">${best.map(shot).join('')}</ul></section>`;

const shot = ({ time, quality, picture }: ShownVideoPerson['best'][number]): string =>
  `<li><img style="width: 160px; height: auto; border-bottom: 0" src="${picture}" alt="at ${clock(time)}"><b>${clock(time)}</b><small>${quality === null ? '' : `quality ${Math.round(quality)}`}</small></li>`;

/** Seconds to `1:02.4`. */
export function clock(seconds: number): string {
  const tenths = Math.round(10 * seconds);
  const minutes = Math.floor(tenths / 600);
  return `${minutes}:${((tenths - 600 * minutes) / 10).toFixed(1).padStart(4, '0')}`;
}
