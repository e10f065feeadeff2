/** Questions that the page cannot answer itself: pairs of people who may be one, and faces that may be someone else's. */
import type { ComponentChildren, JSX } from 'preact';
import type { PhotoFace } from '../album/photo.ts';
import { texts } from '../texts.ts';
import { FaceButton } from '../viewer/face-button.tsx';
import { confirmFace, type Grouping, join, part, partFrom, titleOf } from './people-set.ts';

const words = texts.people;

/** Questions of one kind at a time: each answer may settle others. */
const askedAtOnce = 6;

export function Questions({ grouping: { people, questions } }: { readonly grouping: Grouping }): JSX.Element {
  const doubts = people.flatMap((person) => person.doubtful.map((face) => ({ person, face })));
  return (
    <>
      <Asked heading={words.same} hint={words.sameHint} id="same" count={questions.length}>
        {questions.slice(0, askedAtOnce).map(([a, b]) => (
          <Question
            key={`${a.number} ${b.number}`}
            faces={[a.faces[0]!, b.faces[0]!]}
            titles={[titleOf(a), titleOf(b)]}
            yes={[words.yesSame, () => join(a, b)]}
            no={[words.noSame, () => part(a, b)]}
          />
        ))}
      </Asked>
      <Asked heading={words.belongs} hint={words.belongsHint} id="belongs" count={doubts.length}>
        {doubts.slice(0, askedAtOnce).map(({ person, face }) => (
          <Question
            key={face.id}
            faces={[person.faces.find(({ id }) => id !== face.id)!, face]}
            titles={[titleOf(person)]}
            yes={[words.yesBelongs, () => confirmFace(face, person)]}
            no={[words.noBelongs, () => partFrom(face, person)]}
          />
        ))}
      </Asked>
    </>
  );
}

interface AskedProps {
  readonly heading: string;
  readonly hint: string;
  readonly id: string;
  readonly count: number;
  readonly children: ComponentChildren;
}

function Asked({ heading, hint, id, count, children }: AskedProps): JSX.Element | null {
  if (count === 0) return null;
  return (
    <section aria-labelledby={id}>
      <h2 id={id}>{heading}</h2>
      <p class="soft">
        {hint} {count > askedAtOnce && words.more(count - askedAtOnce)}
      </p>
      <ul class="questions">{children}</ul>
    </section>
  );
}

type Answer = readonly [words: string, then: () => void];

interface QuestionProps {
  readonly faces: readonly [PhotoFace, PhotoFace];
  readonly titles: readonly string[];
  readonly yes: Answer;
  readonly no: Answer;
}

function Question({ faces, titles, yes, no }: QuestionProps): JSX.Element {
  return (
    <li class="question">
      <div class="row">
        {faces.map((face) => (
          <FaceButton key={face.id} face={face} size={96} />
        ))}
      </div>
      <p class="soft">{titles.join(', ')}</p>
      <div class="row">
        {[yes, no].map(([text, then]) => (
          <button key={text} type="button" onClick={then}>
            {text}
          </button>
        ))}
      </div>
    </li>
  );
}
