/** The photos view: boxes, scores, sorts, keeps and saves faces. */
import type { JSX } from 'preact';
import { AddPhotos } from '../album/add-photos.tsx';
import { allFaces, failures, photos } from '../album/photo-set.ts';
import { texts } from '../texts.ts';
import { FaceList } from './face-list.tsx';
import { PhotoGrid } from './photo-grid.tsx';

const words = texts.photos;

export function PhotosView(): JSX.Element {
  return (
    <>
      <h1>{words.heading}</h1>
      <p class="lead">{allFaces.value.length > 0 ? <Verdict /> : words.lead}</p>
      <AddPhotos />
      {photos.value.length > 0 && <PhotoGrid />}
      {allFaces.value.length > 0 && <FaceList />}
      <Failures />
    </>
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

function Failures(): JSX.Element | null {
  if (failures.value.length === 0) return null;
  return (
    <section>
      <h2>{words.failedHeading}</h2>
      <ul class="failures">
        {failures.value.map(({ id, name, message }) => (
          <li key={id}>
            <b>{name}</b> <span class="soft">{message}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
