/** The people view: who is in the photos, questions that the page cannot answer itself, and names. */
import { computed } from '@preact/signals';
import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import { AddPhotos } from '../album/add-photos.tsx';
import type { PhotoFace } from '../album/photo.ts';
import { allFaces } from '../album/photo-set.ts';
import { library } from '../library.ts';
import { texts } from '../texts.ts';
import { FaceButton } from '../viewer/face-button.tsx';
import { canGroup, grouping, isGrouping, problem, steps, undo } from './people-set.ts';
import { PersonCard } from './person-card.tsx';
import { Questions } from './questions.tsx';

const words = texts.people;

export function PeopleView(): JSX.Element {
  const found = grouping.value;
  const faces = found?.unplaced;
  const unplaced = useMemo(() => faces !== undefined && faces.length > 0 && <Unplaced faces={faces} />, [faces]);
  return (
    <>
      <h1>{words.heading}</h1>
      <p class="lead" role="status">
        {lead.value}
      </p>
      <AddPhotos />
      <LastStep />
      {found !== undefined && allFaces.value.length > 0 && (
        <>
          <Questions grouping={found} />
          <section aria-labelledby="everybody">
            <h2 id="everybody">{words.everybody}</h2>
            <datalist id="names">
              {[...new Set(found.people.map(({ name }) => name))].map((name) =>
                name === undefined ? null : <option key={name} value={name} />,
              )}
            </datalist>
            <ul class="people">
              {found.people.map((person) => (
                <PersonCard key={person.number} person={person} />
              ))}
            </ul>
          </section>
          {unplaced}
        </>
      )}
    </>
  );
}

/** Poor faces that resemble nobody enough. */
function Unplaced({ faces }: { readonly faces: readonly PhotoFace[] }): JSX.Element {
  return (
    <section aria-labelledby="unplaced">
      <h2 id="unplaced">{words.unplaced}</h2>
      <p class="soft">{words.unplacedHint}</p>
      <div class="strip">
        {faces.map((face) => (
          <FaceButton key={face.id} face={face} size={64} />
        ))}
      </div>
    </section>
  );
}

const lead = computed(() => {
  const found = grouping.value;
  if (!canGroup.value && library.value.kind === 'ready') return words.cannot;
  if (isGrouping.value) return words.grouping;
  if (found === undefined || allFaces.value.length === 0) return words.lead;
  return words.found(found.people.length, allFaces.value.length, found.unplaced.length);
});

/** What the user did last, which can be taken back. */
function LastStep(): JSX.Element | null {
  const step = steps.value.at(-1);
  if (problem.value !== undefined) {
    return (
      <p class="notice" role="alert">
        {words.undone(problem.value)}
      </p>
    );
  }
  if (step === undefined) return null;
  return (
    <div class="notice" role="status">
      <p>{step.words}</p>
      <button type="button" onClick={undo}>
        {words.undo}
      </button>
    </div>
  );
}
