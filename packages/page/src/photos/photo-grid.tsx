/** The photos with boxes around their faces. */

import { useSignal } from '@preact/signals';
import { qualityColour } from 'magface/browser';
import type { JSX } from 'preact';
import { Boxes } from '../shared/face-parts.tsx';
import { texts } from '../texts.ts';
import { litFace } from './face-list.tsx';
import { photos } from './photo-set.ts';

const words = texts.photos;

/** Initial number of photos: a folder may have thousands, and the faces follow below. */
const shownAtFirst = 12;

export function PhotoGrid(): JSX.Element {
  const all = useSignal(false);
  const shown = all.value ? photos.value : photos.value.slice(0, shownAtFirst);
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
        {shown.map(({ name, width, height, preview, faces }, i) => (
          <figure key={i}>
            <div class="photo">
              <img
                src={preview}
                alt={words.photoAlt(name, faces.length)}
                width={width}
                height={height}
                loading="lazy"
              />
              <Boxes
                width={width}
                height={height}
                faces={faces.map(({ face }) => face)}
                lit={(face) => faces.some((one) => one.face === face && one.id === litFace.value)}
              />
            </div>
            <figcaption>{words.photoCaption(name, faces.length)}</figcaption>
          </figure>
        ))}
      </div>
      {shown.length < photos.value.length && (
        <button
          type="button"
          class="more"
          onClick={() => {
            all.value = true;
          }}
        >
          {words.allPhotos(photos.value.length)}
        </button>
      )}
    </section>
  );
}
