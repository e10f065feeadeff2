/** The page of a library's people: the best shot of each, and the doubtful cases. */
import { counted, escaped, page } from './page.ts';

/** A person on the page. */
export interface ShownPerson {
  readonly number: number;
  readonly name?: string;
  readonly faces: number;
  /** The best shot: its photo and face, as `--not` takes them. */
  readonly place: string;
  /** Data address; empty if there is none. */
  readonly picture: string;
  /** Faces that resemble the others little. */
  readonly doubtful: readonly { readonly place: string; readonly picture: string }[];
}

/** Data of the page. */
export interface PeoplePage {
  readonly people: readonly ShownPerson[];
  /** Pairs that may be one person. */
  readonly questions: readonly { readonly people: readonly [ShownPerson, ShownPerson]; readonly similarity: number }[];
  readonly counts: { readonly people: number; readonly faces: number; readonly unplaced: number };
  readonly threshold: number;
  readonly fmr: number;
  readonly comparisons: number;
  readonly expectedWrongMerges: number;
}

/** @returns the whole HTML file */
export function peoplePage(data: PeoplePage): string {
  const { people, questions, counts, threshold, fmr, comparisons, expectedWrongMerges } = data;
  const doubted = people.filter(({ doubtful }) => doubtful.length > 0);
  const hidden = counts.people - people.length;
  return page({
    title: 'People',
    body: `<header><div><h1>People</h1>
<p class="verdict">${counts.people.toLocaleString('en')} people in ${counted(counts.faces, 'face')}.</p></div></header>
<p class="soft">Expected wrong merges: ${expectedWrongMerges.toPrecision(2)}, at a similarity of ${threshold.toFixed(3)}, which ${fmr.toPrecision(2)} of all pairs of different people reach, in ${comparisons.toLocaleString('en')} comparisons. ${counted(counts.unplaced, 'poor face')} resembled nobody enough.</p>
${section('May be one person', questions.length, 'Nearly similar enough. Answer with a flag of magface people: --join if they are one person, --apart if they are two.', questions.map(questionItem))}
${section('May be someone else', doubted.length, 'These faces resemble the others of their person little. If one is wrong, run magface people with the flag below it.', doubted.flatMap(doubtItems))}
${section('Everybody', people.length, `The best shot of each, those with most faces first.${hidden > 0 ? ` ${hidden.toLocaleString('en')} more people are not shown.` : ''}`, people.map(personItem))}`,
  });
}

function section(title: string, count: number, words: string, items: readonly string[]): string {
  if (count === 0) return '';
  return `<section><h2>${title}</h2><p class="soft">${words}</p><ul class="strip" style="grid-template-columns: repeat(auto-fill, minmax(180px, 1fr))">${items.join('')}</ul></section>`;
}

const titleOf = ({ number, name }: ShownPerson): string => (name === undefined ? `Person ${number}` : escaped(name));

const image = (picture: string, label: string): string =>
  picture === '' ? '' : `<img style="display: inline-block" src="${picture}" alt="${escaped(label)}">`;

const personItem = (person: ShownPerson): string =>
  `<li>${image(person.picture, person.place)}<b>${titleOf(person)}</b><small>${counted(person.faces, 'face')}, ${escaped(person.place)}</small></li>`;

function questionItem({ people, similarity }: PeoplePage['questions'][number]): string {
  const [a, b] = people;
  const pictures = people.map(({ picture, place }) => image(picture, place)).join(' ');
  return `<li>${pictures}<b>${titleOf(a)}, ${titleOf(b)}</b><small>similarity ${similarity.toFixed(3)}</small><br><code>--join ${a.number},${b.number}</code><br><code>--apart ${a.number},${b.number}</code></li>`;
}

const doubtItems = (person: ShownPerson): string[] =>
  person.doubtful.map(
    ({ place, picture }) =>
      `<li>${image(person.picture, person.place)} ${image(picture, place)}<b>${titleOf(person)}</b><code>--not "${person.number}=${escaped(place)}"</code></li>`,
  );
