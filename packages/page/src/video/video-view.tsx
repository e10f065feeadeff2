/** The video view: the people of a clip, when they are in view, and their best shots. */
import type { JSX } from 'preact';
import { download } from '../shared/download.ts';
import { DropZone, FileButton } from '../shared/drop-zone.tsx';
import { colours, scoreOf } from '../shared/face-parts.tsx';
import type { GivenFiles } from '../shared/files.ts';
import { useAddress } from '../shared/pictures.ts';
import { isTouch } from '../shared/touch.ts';
import { texts } from '../texts.ts';
import { type ClipPerson, type ClipShot, clip, forgetClip, lookAt } from './clip.ts';

const words = texts.video;

function take({ clips: [first], pictures, others }: GivenFiles): void {
  const [other] = [...pictures, ...others];
  if (first !== undefined) void lookAt(first);
  else if (other !== undefined) clip.value = { kind: 'failed', name: other.name, message: words.noClip };
}

export function VideoView(): JSX.Element {
  const state = clip.value;
  const begun = state.kind !== 'none';
  return (
    <>
      <h1>{words.heading}</h1>
      <p class="lead">{state.kind === 'found' ? words.found(state.people.length, state.duration) : words.lead}</p>
      <DropZone label={words.drop} onFiles={take} class={begun ? 'small' : ''}>
        {!begun && (
          <p class="invitation">
            <b>{isTouch.value ? words.touch : words.drop}</b>
            <span class="soft">{words.hint}</span>
          </p>
        )}
        <div class="row">
          <FileButton
            label={begun ? words.another : words.choose}
            onFiles={take}
            accept="video/*"
            single
            class={begun ? '' : 'primary'}
          />
          {begun && state.kind !== 'looking' && (
            <button type="button" onClick={forgetClip}>
              {words.clear}
            </button>
          )}
          {begun && <span class="soft file">{state.name}</span>}
        </div>
        <Progress />
      </DropZone>
      {state.kind === 'failed' && (
        <p class="notice" role="alert">
          {state.message}
        </p>
      )}
      {state.kind === 'found' &&
        state.people.map((person, i) => <Person key={words.person(i + 1)} person={person} number={i + 1} />)}
    </>
  );
}

function Progress(): JSX.Element {
  const state = clip.value;
  return (
    <>
      {state.kind === 'looking' && (
        <div class="run">
          <progress
            aria-label={words.progress(state.time, state.duration)}
            max={state.duration || 1}
            value={state.time}
          />
          <span class="soft">{words.progress(state.time, state.duration)}</span>
          <button type="button" onClick={forgetClip}>
            {words.cancel}
          </button>
        </div>
      )}
      <span role="status" class="soft">
        {state.kind === 'found' && (state.people.length === 0 ? words.nobody : words.finished)}
      </span>
    </>
  );
}

function Person({ person, number }: { readonly person: ClipPerson; readonly number: number }): JSX.Element {
  const { seen, frames, best } = person;
  return (
    <section class="clip-person">
      <h2>{words.person(number)}</h2>
      <p class="soft">{words.seen(seen, frames)}</p>
      <ul class="shots">
        {best.map((shot) => (
          <Shot key={shot.time} shot={shot} number={number} />
        ))}
      </ul>
    </section>
  );
}

function Shot({ shot, number }: { readonly shot: ClipShot; readonly number: number }): JSX.Element {
  const { time, face, picture } = shot;
  const name = `person-${number}-${time.toFixed(1)}s.jpg`;
  return (
    <li>
      <figure class="shot" style={colours(face)}>
        <img src={useAddress(picture)} alt={words.shotAlt(number, time)} />
        <figcaption>
          <b>{words.at(time)}</b> {words.quality(scoreOf(face))}
        </figcaption>
      </figure>
      <button
        type="button"
        class="quiet"
        aria-label={words.saveShot(number, time)}
        onClick={() => download(name, picture)}
      >
        {words.save}
      </button>
    </li>
  );
}
