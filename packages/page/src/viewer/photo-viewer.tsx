/** A photo at full size, with its faces: over the page, until it is closed. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Photo, PhotoFace } from '../album/photo.ts';
import { seenPhotos } from '../album/photo-set.ts';
import { personOf, titleOf } from '../people/people-set.ts';
import { Boxes, colours, Meter, Reasons, Score } from '../shared/face-parts.tsx';
import { useAddress } from '../shared/pictures.ts';
import { texts } from '../texts.ts';
import { close, turnPage, view, viewedFace, viewedPhoto } from './viewer.ts';

const words = texts.viewer;

export function PhotoViewer(): JSX.Element | null {
  const photo = viewedPhoto.value;
  return photo === undefined ? null : <Dialog photo={photo} />;
}

function Dialog({ photo }: { readonly photo: Photo }): JSX.Element {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  const turn = ({ key }: KeyboardEvent): void => {
    if (key === 'ArrowRight') turnPage(1);
    if (key === 'ArrowLeft') turnPage(-1);
  };
  const face = viewedFace.value;
  const at = seenPhotos.value.indexOf(photo);
  return (
    <dialog
      ref={dialog}
      class="viewer"
      aria-label={photo.name}
      onClose={close}
      onKeyDown={turn}
      onClick={({ target }) => target === dialog.current && close()}
    >
      <header class="row">
        <b>{photo.name}</b>
        <span class="row end">
          <button type="button" disabled={at === 0} onClick={() => turnPage(-1)}>
            {words.previous}
          </button>
          <button type="button" disabled={at === seenPhotos.value.length - 1} onClick={() => turnPage(1)}>
            {words.next}
          </button>
          <button type="button" onClick={close}>
            {words.close}
          </button>
        </span>
      </header>
      <div class="viewer-body">
        <Large photo={photo} lit={face} />
        {face === undefined ? <p class="soft">{words.noFace}</p> : <Facts face={face} />}
      </div>
    </dialog>
  );
}

/** The photo itself; its smaller copy where the browser cannot show the file. */
function Large({ photo, lit }: { readonly photo: Photo; readonly lit: PhotoFace | undefined }): JSX.Element {
  const { width = 1, height = 1, blob } = photo.preview ?? {};
  const [whole, small] = [useAddress(photo.file), useAddress(blob)];
  const style = { aspectRatio: `${width} / ${height}`, maxWidth: `min(100%, calc(72vh * ${width / height}))` };
  return (
    <div class="photo" style={style}>
      <img
        src={whole ?? small}
        alt={texts.photos.photoAlt(photo.name, photo.faces.length)}
        onError={({ currentTarget }) => {
          if (small !== undefined && currentTarget.src !== small) currentTarget.src = small;
        }}
      />
      <Boxes
        {...{ width, height }}
        faces={photo.faces.map(({ face }) => face)}
        lit={(face) => face === lit?.face}
        label={(i) => words.showFace(i + 1)}
        onSelect={(i) => view(photo.id, photo.faces[i]!.id)}
      />
    </div>
  );
}

function Facts({ face: { id, number, face } }: { readonly face: PhotoFace }): JSX.Element {
  const person = personOf.value.get(id);
  return (
    <section class="facts" style={colours(face)} aria-live="polite">
      <h2>{person === undefined ? texts.compare.face(number) : titleOf(person)}</h2>
      <Score face={face} large />
      <Meter face={face} />
      <Reasons face={face} />
      <p class="soft">{words.numbers(face)}</p>
    </section>
  );
}
