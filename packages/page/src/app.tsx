/** Header, navigation, model status, and one of the views. */
import { signal } from '@preact/signals';
import type { JSX } from 'preact';
import { CameraView } from './camera/camera-view.tsx';
import { CompareView } from './compare/compare-view.tsx';
import { library, openLibrary } from './library.ts';
import { PeopleView } from './people/people-view.tsx';
import { PhotosView } from './photos/photos-view.tsx';
import { texts } from './texts.ts';
import { dark, switchTheme } from './theme.ts';
import { VideoView } from './video/video-view.tsx';
import { PhotoViewer } from './viewer/photo-viewer.tsx';

const views = {
  photos: PhotosView,
  people: PeopleView,
  video: VideoView,
  camera: CameraView,
  compare: CompareView,
} as const;
type ViewName = keyof typeof views;

const viewOfAddress = (): ViewName => {
  const name = location.hash.slice(1);
  return Object.hasOwn(views, name) ? (name as ViewName) : 'photos';
};

export const view = signal<ViewName>(viewOfAddress());
addEventListener('hashchange', () => {
  view.value = viewOfAddress();
});

export function App(): JSX.Element {
  const View = views[view.value];
  return (
    <>
      <a class="skip" href={`#${view.value}`} onClick={() => document.querySelector('main')?.focus()}>
        {texts.skip}
      </a>
      <header class="top">
        <a class="mark" href="#photos">
          <img src="./icon.svg" alt="" width="28" height="28" />
          {texts.title}
        </a>
        <nav aria-label={texts.nav.label}>
          {(Object.keys(views) as ViewName[]).map((name) => (
            <a key={name} href={`#${name}`} aria-current={name === view.value ? 'page' : undefined}>
              {texts.nav[name]}
            </a>
          ))}
        </nav>
        <button type="button" class="quiet" onClick={switchTheme}>
          {dark.value ? texts.theme.toLight : texts.theme.toDark}
        </button>
      </header>
      <main tabIndex={-1}>
        <LibraryStatus />
        <View />
      </main>
      <Foot />
      <PhotoViewer />
    </>
  );
}

/** Status of the models until they are ready. */
function LibraryStatus(): JSX.Element | null {
  const state = library.value;
  if (state.kind === 'ready') return null;
  if (state.kind === 'failed') {
    return (
      <div class="notice" role="alert">
        <p>{texts.library.failed(state.message)}</p>
        <button type="button" onClick={() => openLibrary().catch(() => undefined)}>
          {texts.library.retry}
        </button>
      </div>
    );
  }
  const { received = 0, total = 0 } = state.progress ?? {};
  const words = total > 0 && received === total ? texts.library.opening : texts.library.loading(received, total);
  return (
    <div class="loading">
      <p id="loading-words">{words}</p>
      <progress aria-labelledby="loading-words" max={total || 1} value={total > 0 ? received : undefined} />
    </div>
  );
}

function Foot(): JSX.Element {
  const state = library.value;
  return (
    <footer>
      <p>{texts.privacy}</p>
      {state.kind === 'ready' && (
        <details>
          <summary>{texts.library.about}</summary>
          <p>
            {texts.library.runs(
              state.magface.model.id,
              state.magface.detector.id,
              state.magface.device,
              state.magface.threads,
            )}
          </p>
          {[state.magface.model, state.magface.detector].map(({ id, contract }) =>
            contract.licence ? (
              <p key={id}>{texts.library.licence(id, contract.licence.spdx, contract.licence.notice)}</p>
            ) : null,
          )}
        </details>
      )}
    </footer>
  );
}
