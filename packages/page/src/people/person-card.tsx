/** One person: best shot, name, and the other faces. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { texts } from '../texts.ts';
import { FaceButton } from '../viewer/face-button.tsx';
import { name, partFrom, type ShownPerson, titleOf } from './people-set.ts';

const words = texts.people;

/** Faces beside the best shot; the others are shown on request. */
const shownAtFirst = 4;

/** Drawn again if the person is another object, or the list of faces opens: signals see to that. */
export function PersonCard({ person }: { readonly person: ShownPerson }): JSX.Element {
  const open = useSignal(false);
  const [best, ...others] = person.faces;
  const title = titleOf(person);
  return (
    <li class="person">
      <FaceButton face={best!} size={112} />
      <div>
        <input
          class="name"
          list="names"
          value={person.name ?? ''}
          placeholder={words.namePlaceholder}
          aria-label={words.nameOf(title)}
          maxLength={80}
          onChange={({ currentTarget }) => name(person, currentTarget.value)}
          onKeyDown={({ key, currentTarget }) => key === 'Enter' && currentTarget.blur()}
        />
        <p class="soft">
          {person.name === undefined ? `${title} · ` : ''}
          {words.faces(person.faces.length)}
        </p>
        {others.length > 0 && !open.value && (
          <div class="strip">
            {others.slice(0, shownAtFirst).map((face) => (
              <FaceButton key={face.id} face={face} size={44} />
            ))}
          </div>
        )}
        {others.length > 0 && (
          <button
            type="button"
            class="quiet"
            aria-expanded={open.value}
            onClick={() => {
              open.value = !open.value;
            }}
          >
            {words.showAll(person.faces.length)}
          </button>
        )}
      </div>
      {open.value && (
        <ul class="strip wide">
          {person.faces.map((face) => (
            <li key={face.id}>
              <FaceButton face={face} size={88} />
              <button type="button" onClick={() => partFrom(face, person)}>
                {words.notThem(title)}
              </button>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}
