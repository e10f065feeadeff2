/** Where photos are dropped and chosen, and what became of them. */
import { computed, signal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { corrections, forgetPeople } from '../people/people-set.ts';
import { keepAll } from '../photos/kept.ts';
import { Check } from '../shared/check.tsx';
import { DropZone, FileButton } from '../shared/drop-zone.tsx';
import { type GivenFiles, pastedPictures } from '../shared/files.ts';
import { isTouch } from '../shared/touch.ts';
import { texts } from '../texts.ts';
import { lookAt } from '../video/clip.ts';
import { addPhotos, allFaces, cancel, clear, failures, photos, run, seenPhotos, tinyFaces } from './photo-set.ts';
import { remembers } from './store.ts';

const words = texts.album;

/** The last files that were given. */
const given = signal<GivenFiles | undefined>(undefined);
const started = computed(() => run.value.kind !== 'idle');

function take(files: GivenFiles): void {
  given.value = files;
  void addPhotos(files.pictures);
  const [clip] = files.clips;
  if (clip === undefined) return;
  void lookAt(clip);
  if (files.pictures.length === 0) location.hash = 'video';
}

export function AddPhotos(): JSX.Element {
  useEffect(() => {
    const paste = (event: ClipboardEvent): void => {
      const files = pastedPictures(event);
      if (files.length > 0) take({ pictures: files, clips: [], others: [] });
    };
    document.addEventListener('paste', paste);
    return () => document.removeEventListener('paste', paste);
  }, []);
  const touch = isTouch.value;
  return (
    <>
      <DropZone label={words.drop} onFiles={take} class={started.value ? 'small' : ''}>
        {!started.value && (
          <p class="invitation">
            <b>{touch ? words.touch : words.drop}</b>
            <span class="soft">{touch ? words.touchHint : words.dropHint}</span>
          </p>
        )}
        <div class="row">
          <FileButton
            label={started.value ? words.more : words.choose}
            onFiles={take}
            class={started.value ? '' : 'primary'}
          />
          {!touch && <FileButton label={words.chooseFolder} onFiles={take} folder />}
          {started.value && (
            <button type="button" onClick={startOver}>
              {words.clear}
            </button>
          )}
          <Check label={words.small} value={tinyFaces} />
        </div>
        <RunStatus />
      </DropZone>
      {given.value !== undefined && <PassedOver given={given.value} />}
      {!remembers.value && started.value && <p class="notice">{words.forgets}</p>}
    </>
  );
}

/** Asks first if names and answers would be lost. */
function startOver(): void {
  const { names, joined, apart } = corrections.value;
  const said = names.length + joined.length + apart.length;
  if (said > 0 && !confirm(words.confirmClear(said))) return;
  given.value = undefined;
  clear();
  forgetPeople();
  keepAll();
}

/** Reports skipped files, so that no file disappears silently. */
function PassedOver({ given: { pictures, clips, others } }: { readonly given: GivenFiles }): JSX.Element | null {
  const given = pictures.length + clips.length;
  if (given > 0 && others.length === 0 && clips.length === 0) return null;
  const names = others.map(({ name }) => name);
  return (
    <p class="notice" role="alert">
      {given === 0 && `${words.noImages} `}
      {clips.length > 0 && `${words.clips(clips[0]!.name)} `}
      {names.length > 0 && words.passedOver(names)}
    </p>
  );
}

function RunStatus(): JSX.Element {
  const state = run.value;
  return (
    <>
      {state.kind === 'running' && (
        <div class="run">
          <progress aria-label={words.progress(state.done, state.total)} max={state.total} value={state.done} />
          <span class="soft">{words.progress(state.done, state.total)}</span>
          <button type="button" onClick={cancel}>
            {words.cancel}
          </button>
        </div>
      )}
      <span role="status" class="soft">
        {state.kind === 'finished' && outcomeWords(state.copies)}
        {state.kind === 'cancelled' && words.cancelled(state.done, state.total)}
      </span>
    </>
  );
}

/** How a run ended, and advice if it found nothing. */
function outcomeWords(copies: number): string {
  const seen = seenPhotos.value.length;
  if (seen === 0) return photos.value.length === 0 ? '' : words.unread(failures.value.length);
  const without = seenPhotos.value.filter(({ faces }) => faces.length === 0).length;
  const advice = words.advice(tinyFaces.value);
  if (without === seen) return `${words.none} ${advice}`;
  const parts = [words.finished(allFaces.value.length, seen)];
  if (copies > 0) parts.push(words.copies(copies));
  if (without > 0) parts.push(words.without(without), advice);
  if (failures.value.length > 0) parts.push(words.failed(failures.value.length));
  return parts.join(' ');
}
