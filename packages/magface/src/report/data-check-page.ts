/** The page of `data check`: what the sets hold, and everything found, with pictures. */
import * as Plot from '@observablehq/plot';
import type { SetStatistics, Spread } from '../eval/data/set-statistics.ts';
import { draw } from './draw.ts';
import { counted, escaped, page } from './page.ts';
import { switchThemes } from './page-script.ts';

/** An image by name. */
export interface PageImage {
  readonly image: string;
  readonly index: number;
  readonly set: string;
  readonly label: number;
}

/** Data of the page; `CheckRecord` of the command has it. */
export interface DataCheckPage {
  readonly model: string;
  readonly sets: readonly { readonly name: string; readonly isTest: boolean; readonly statistics: SetStatistics }[];
  readonly unusable: readonly (PageImage & { readonly reason: string })[];
  readonly duplicates: readonly {
    readonly images: readonly [PageImage, PageImage];
    readonly exact: boolean;
    readonly correlation: number;
    readonly withTest: boolean;
  }[];
  readonly mislabelled: readonly (PageImage & {
    readonly ownSimilarity: number | null;
    readonly resembles: PageImage;
    readonly similarity: number;
    readonly swappedWith: string | null;
  })[];
  readonly outliers: readonly (PageImage & {
    readonly ownSimilarity: number;
    readonly quality: number | null;
    readonly undecided: boolean;
  })[];
  readonly samePeople: readonly {
    readonly people: readonly [PageImage, PageImage];
    readonly similarity: number;
    readonly withTest: boolean;
  }[];
  readonly cleaned: {
    readonly images: number;
    readonly people: number;
    readonly changed: Readonly<Record<string, number>>;
  };
}

/** How pictures are found, and how many findings of a kind are shown. */
export interface PagePictures {
  /** @returns a data address; empty if there is none */
  readonly picture: (index: number) => string;
  readonly shownAtMost: number;
}

/** @returns the whole HTML file; it loads nothing */
export function dataCheckPage(data: DataCheckPage, pictures: PagePictures): string {
  const { sets, unusable, duplicates, mislabelled, outliers, samePeople } = data;
  const all = sets.filter(({ isTest }) => !isTest);
  const images = all.reduce((sum, { statistics }) => sum + statistics.images, 0);
  const inTest = samePeople.filter(({ withTest }) => withTest);
  const twice = samePeople.filter(({ withTest }) => !withTest);
  const photosInTest = duplicates.filter(({ withTest }) => withTest);
  const copies = duplicates.filter(({ withTest }) => !withTest);
  const list = <T>(found: readonly T[], item: (one: T, pictures: PagePictures) => string): string[] =>
    found.slice(0, pictures.shownAtMost).map((one) => item(one, pictures));
  const parts: readonly Part[] = [
    [
      'Photos that a test set has too',
      photosInTest.length,
      'A model that has seen the photo knows the answer.',
      list(photosInTest, copyItem),
    ],
    [
      'People who are in a test set too',
      inTest.length,
      'Their labels, each with its best image.',
      list(inTest, samePersonItem),
    ],
    [
      'Probably mislabelled',
      mislabelled.length,
      'On the left the image, on the right the best image of the person whom it resembles. First the cosine to the other images of its own label.',
      list(mislabelled, mislabelledItem),
    ],
    [
      'One person, two labels',
      twice.length,
      'Training pushes the two apart although they are the same.',
      list(twice, samePersonItem),
    ],
    [
      'Unlike their label',
      outliers.length,
      'They resemble neither the other images of their label nor anybody else. Poor faces can be rightly labelled.',
      list(outliers, outlierItem),
    ],
    [
      'The same photo twice',
      copies.length,
      'Also compressed anew, mirrored or cut a little differently, and consecutive frames.',
      list(copies, copyItem),
    ],
    [
      'Without a face, or unreadable',
      unusable.length,
      '',
      unusable
        .slice(0, pictures.shownAtMost)
        .map(
          ({ image, reason }) =>
            `<li style="cursor:default"><small>${escaped(image)}<br>${escaped(reason)}</small></li>`,
        ),
    ],
  ];
  return page({
    title: 'Data check',
    body: `<header><div><h1>Data check</h1><p class="verdict">${escaped(verdict(data))}</p></div><button id="theme" type="button" hidden>Dark / light</button></header>
<p class="soft">${counted(images, 'image')} of ${all.map(({ name }) => escaped(name)).join(', ')}, compared by ${escaped(data.model)}. The written list keeps ${counted(data.cleaned.images, 'image')} of ${data.cleaned.people.toLocaleString('en')} people.</p>
<dl class="counts">${parts.map(([title, count]) => `<div><dt>${escaped(title.toLowerCase())}</dt><dd>${count.toLocaleString('en')}</dd></div>`).join('')}</dl>
<main>${sets.map(setSection).join('')}${parts.map((part) => section(part, pictures.shownAtMost)).join('')}</main>`,
    scripts: [switchThemes],
  });
}

type Part = readonly [title: string, count: number, words: string, items: readonly string[]];

function verdict({ duplicates, mislabelled, samePeople, outliers }: DataCheckPage): string {
  const tested = [...duplicates, ...samePeople].filter(({ withTest }) => withTest).length;
  const faults = mislabelled.length + samePeople.length + outliers.length + duplicates.length;
  if (faults === 0) return 'Nothing was found.';
  return tested > 0
    ? `${counted(tested, 'overlap')} with a test set: figures measured on it would be too good.`
    : `${faults.toLocaleString('en')} places to look at.`;
}

function section([title, count, words, items]: Part, shownAtMost: number): string {
  if (count === 0) return '';
  const rest = count > shownAtMost ? ` The first ${shownAtMost} of ${count.toLocaleString('en')}.` : '';
  return `<section><h2>${title}</h2><p class="soft">${words}${rest}</p><ul class="strip" style="grid-template-columns: repeat(auto-fill, minmax(170px, 1fr))">${items.join('')}</ul></section>`;
}

const image = (index: number, name: string, { picture }: PagePictures): string => {
  const source = picture(index);
  return source === '' ? '' : `<img style="display:inline-block" src="${source}" alt="${escaped(name)}">`;
};

const item = (shown: string, figures: string, names: readonly PageImage[]): string =>
  `<li style="cursor:default;overflow-wrap:anywhere">${shown}<b>${figures}</b><small>${names.map(({ image: name, label }) => `${escaped(shortName(name))}, label ${label}`).join('<br>')}</small></li>`;

/** The file and its folder. */
const shortName = (name: string): string => name.split('/').slice(-2).join('/');

const two = (value: number): string => value.toFixed(2).replace('-', '−');

const both = ([a, b]: readonly [PageImage, PageImage], pictures: PagePictures): string =>
  `${image(a.index, a.image, pictures)} ${image(b.index, b.image, pictures)}`;

const copyItem = (
  { images, exact, correlation }: DataCheckPage['duplicates'][number],
  pictures: PagePictures,
): string => item(both(images, pictures), exact ? 'equal files' : `correlation ${two(correlation)}`, images);

const samePersonItem = ({ people, similarity }: DataCheckPage['samePeople'][number], pictures: PagePictures): string =>
  item(both(people, pictures), `cosine ${two(similarity)}`, people);

const mislabelledItem = (one: DataCheckPage['mislabelled'][number], pictures: PagePictures): string =>
  item(
    both([one, one.resembles], pictures),
    `${one.ownSimilarity === null ? '–' : two(one.ownSimilarity)}, other ${two(one.similarity)}${one.swappedWith === null ? '' : ', swapped'}`,
    [one, one.resembles],
  );

const outlierItem = (one: DataCheckPage['outliers'][number], pictures: PagePictures): string =>
  item(
    image(one.index, one.image, pictures),
    `${two(one.ownSimilarity)}${one.quality === null ? '' : `, quality ${Math.round(one.quality)}`}${one.undecided ? ', or the other one' : ''}`,
    [one],
  );

function setSection({ name, isTest, statistics }: DataCheckPage['sets'][number]): string {
  const { images, people, single, imagesPerPerson, sizes, otherSizes, quality, magnitude, qualityHistogram } =
    statistics;
  const spread = (of: Spread): string => `${of.least} to ${of.most}, median ${of.median}`;
  const shapes = sizes.map(({ size, images: count }) => `${size} (${count.toLocaleString('en')})`);
  const rows: readonly (readonly [string, string])[] = [
    ['images', images.toLocaleString('en')],
    ['people', `${people.toLocaleString('en')}, ${single.toLocaleString('en')} with one image`],
    ['images per person', spread(imagesPerPerson)],
    ['sizes', [...shapes, ...(otherSizes > 0 ? [`others (${otherSizes.toLocaleString('en')})`] : [])].join(', ')],
    ...(magnitude === null ? [] : [['magnitude', spread(magnitude)] as const]),
    ...(quality === null ? [] : [['quality', `median ${quality.median}, 5 % below ${quality.p5}`] as const]),
  ];
  const chart =
    qualityHistogram === null
      ? ''
      : `<figure>${qualityChart(qualityHistogram)}<figcaption>Images by quality</figcaption></figure>`;
  return `<section><h2>${escaped(name)}${isTest ? ' (to test on)' : ''}</h2><div class="photos"><dl class="card">${rows.map(([key, value]) => `<dt>${key}</dt><dd>${escaped(value)}</dd>`).join('')}</dl>${chart}</div></section>`;
}

function qualityChart(counts: readonly number[]): string {
  const bins = counts.map((count, i) => ({ from: 10 * i, to: 10 * (i + 1), count }));
  return draw({
    width: 360,
    height: 200,
    marginLeft: 48,
    ariaLabel: 'Number of images by quality',
    style: { background: 'none', fontSize: '12px' },
    x: { label: 'Quality', domain: [0, 100] },
    y: { label: null, grid: true, ticks: 4 },
    marks: [Plot.rectY(bins, { x1: 'from', x2: 'to', y: 'count', fill: '#0072b2', inset: 0.5 }), Plot.ruleY([0])],
  });
}
