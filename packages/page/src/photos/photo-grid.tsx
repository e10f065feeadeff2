/** The photos with boxes around their faces. */

import { useSignal } from '@preact/signals';
import { qualityColour } from 'magface/browser';
import type { JSX } from 'preact';
import type { Photo } from '../album/photo.ts';
import { photos } from '../album/photo-set.ts';
import { Boxes } from '../shared/face-parts.tsx';
import { useAddress } from '../shared/pictures.ts';
import { texts } from '../texts.ts';
import { litFace, view } from '../viewer/viewer.ts';

const words = texts.photos;

/** Initial number of photos: a folder may have thousands, and the faces follow below. */
const shownAtFirst = 12;

export function PhotoGrid(): JSX.Element {
  const all = useSignal(false);
  const pictures = photos.value.filter(({ preview }) => preview !== undefined);
  const shown = all.value ? pictures : pictures.slice(0, shownAtFirst);
  return (
    <section aria-labelledby="photos-heading">
      <h2 id="photos-heading">{words.photosHeading}</h2>
      <ul class="legend" aria-label={words.legend}>
        {[0, 20, 40, 60, 80].map((from) => (
          <li key={from}>
            <i style={{ background: qualityColour(from).colour }} />
            {from} – {from === 80 ? 100 : from + 19}
          </li>
        ))}
      </ul>
      <div class="photos">
        {shown.map((photo) => (
          <PhotoFigure key={photo.id} photo={photo} />
        ))}
      </div>
      {shown.length < pictures.length && (
        <button
          type="button"
          class="more"
          onClick={() => {
            all.value = true;
          }}
        >
          {words.allPhotos(pictures.length)}
        </button>
      )}
    </section>
  );
}

/** A photo with its boxes; while it waits, without. */
function PhotoFigure({ photo }: { readonly photo: Photo }): JSX.Element {
  const { id, name, state, faces, preview } = photo;
  const { width, height, blob } = preview!;
  const address = useAddress(blob);
  const light = (i: number | undefined): void => {
    litFace.value = i === undefined ? undefined : faces[i]!.id;
  };
  return (
    <figure>
      <div class={`photo ${state}`} style={{ aspectRatio: `${width} / ${height}` }}>
        <button type="button" class="enlarge" aria-label={words.enlarge(name)} onClick={() => view(id)}>
          {address !== undefined && (
            <img src={address} alt={words.photoAlt(name, faces.length)} {...{ width, height }} loading="lazy" />
          )}
        </button>
        <Boxes
          {...{ width, height }}
          faces={faces.map(({ face }) => face)}
          lit={(face) => faces.some((one) => one.face === face && one.id === litFace.value)}
          label={(i) => words.showFace(i + 1, name)}
          onSelect={(i) => view(id, faces[i]!.id)}
          onLight={light}
        />
      </div>
      <figcaption>{state === 'waiting' ? words.waiting(name) : words.photoCaption(name, faces.length)}</figcaption>
    </figure>
  );
}
