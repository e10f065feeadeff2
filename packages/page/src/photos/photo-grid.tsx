/** The photos with boxes over their faces. */
import { qualityColour } from 'magface/browser';
import type { JSX } from 'preact';
import { Boxes } from '../shared/face-parts.tsx';
import { texts } from '../texts.ts';
import { litFace } from './face-list.tsx';
import { photos } from './photo-set.ts';

const words = texts.photos;

export function PhotoGrid(): JSX.Element {
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
        {photos.value.map(({ name, width, height, preview, faces }, i) => (
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
    </section>
  );
}
