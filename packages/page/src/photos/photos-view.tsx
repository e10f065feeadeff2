/** The photos view: boxes, scores, sorts, keeps and saves faces. */
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { Check } from '../shared/check.tsx';
import { DropZone, FileButton } from '../shared/drop-zone.tsx';
import { type GivenFiles, pastedPictures } from '../shared/files.ts';
import { texts } from '../texts.ts';
import { FaceList } from './face-list.tsx';
import { PhotoGrid } from './photo-grid.tsx';
import { addPhotos, allFaces, cancel, clear, failures, photos, run, tinyFaces } from './photo-set.ts';

const words = texts.photos;

export function PhotosView(): JSX.Element {
  const given = useSignal<GivenFiles | undefined>(undefined);
  const take = (files: GivenFiles): void => {
    given.value = files;
    void addPhotos(files.pictures);
  };
  useEffect(() => {
    const paste = (event: ClipboardEvent): void => {
      const files = pastedPictures(event);
      if (files.length > 0) take({ pictures: files, others: [] });
    };
    document.addEventListener('paste', paste);
    return () => document.removeEventListener('paste', paste);
  }, []);
  const started = run.value.kind !== 'idle';
  return (
    <>
      <h1>{words.heading}</h1>
      <p class="lead">{allFaces.value.length > 0 ? <Verdict /> : words.lead}</p>
      <DropZone label={words.drop} onFiles={take} class={started ? 'small' : ''}>
        {!started && (
          <p class="invitation">
            <b>{words.drop}</b>
            <span class="soft">{words.dropHint}</span>
          </p>
        )}
        <div class="row">
          <FileButton label={started ? words.more : words.choose} onFiles={take} class={started ? '' : 'primary'} />
          <FileButton label={words.chooseFolder} onFiles={take} folder />
          {started && (
            <button
              type="button"
              onClick={() => {
                given.value = undefined;
                clear();
              }}
            >
              {words.clear}
            </button>
          )}
          <Check label={words.small} value={tinyFaces} />
        </div>
        <RunStatus />
      </DropZone>
      {given.value !== undefined && <PassedOver given={given.value} />}
      {photos.value.length > 0 && <PhotoGrid />}
      {allFaces.value.length > 0 && <FaceList />}
      <Failures />
    </>
  );
}

/** Reports skipped files, so that no file disappears silently. */
function PassedOver({ given: { pictures, others } }: { readonly given: GivenFiles }): JSX.Element | null {
  if (pictures.length > 0 && others.length === 0) return null;
  const names = others.map(({ name }) => name);
  return (
    <p class="notice" role="alert">
      {pictures.length === 0 && `${words.noImages} `}
      {names.length > 0 && words.passedOver(names)}
    </p>
  );
}

/** Summary of all faces in one sentence. */
function Verdict(): string {
  const faces = allFaces.value.map(({ face }) => face);
  const scored = faces.filter(({ quality }) => quality !== undefined);
  const poor = scored.filter(({ quality }) => quality! < 20);
  const counts = new Map<string, number>();
  for (const { reasons } of poor)
    for (const { code } of reasons) counts.set(texts.reasonName(code), (counts.get(texts.reasonName(code)) ?? 0) + 1);
  const [cause] = [...counts].sort((a, b) => b[1] - a[1]).filter(([, count]) => 2 * count >= poor.length);
  const good = scored.filter(({ quality }) => quality! >= 50).length;
  return words.verdict(good, poor.length, faces.length, cause);
}

function RunStatus(): JSX.Element {
  const state = run.value;
  const running = state.kind === 'running';
  return (
    <>
      {running && (
        <div class="run">
          <progress aria-label={words.progress(state.done, state.total)} max={state.total} value={state.done} />
          <span class="soft">{words.progress(state.done, state.total)}</span>
          <button type="button" onClick={cancel}>
            {words.cancel}
          </button>
        </div>
      )}
      <span role="status" class="soft">
        {state.kind === 'finished' && outcomeWords()}
        {state.kind === 'cancelled' && words.cancelled(state.done, state.total)}
      </span>
    </>
  );
}

/** How a run ended, and advice if it found nothing. */
function outcomeWords(): string {
  const seen = photos.value.length;
  if (seen === 0) return words.unread(failures.value.length);
  const without = photos.value.filter(({ faces }) => faces.length === 0).length;
  const advice = words.advice(tinyFaces.value);
  if (without === seen) return `${words.none} ${advice}`;
  const parts = [words.finished(allFaces.value.length, seen)];
  if (without > 0) parts.push(words.without(without), advice);
  if (failures.value.length > 0) parts.push(words.failed(failures.value.length));
  return parts.join(' ');
}

function Failures(): JSX.Element | null {
  if (failures.value.length === 0) return null;
  return (
    <section>
      <h2>{words.failedHeading}</h2>
      <ul class="failures">
        {failures.value.map(({ name, message }, i) => (
          <li key={i}>
            <b>{name}</b> <span class="soft">{message}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
