/** Faces as cards, which can be sorted, filtered, kept and saved. */
import { computed, signal, useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import type { PhotoFace } from '../album/photo.ts';
import { allFaces, seenPhotos } from '../album/photo-set.ts';
import { canGroup, grouping, isGrouping, personOf, titleOf } from '../people/people-set.ts';
import { Check } from '../shared/check.tsx';
import { download } from '../shared/download.ts';
import { colours, FaceFacts } from '../shared/face-parts.tsx';
import { texts } from '../texts.ts';
import { FaceButton } from '../viewer/face-button.tsx';
import { litFace } from '../viewer/viewer.ts';
import { keep, keepAll, keepBestOfEach, keepNone, keptFaces, leftOut } from './kept.ts';
import { faceArchive, faceTable } from './save-faces.ts';

const words = texts.photos;
type Order = keyof typeof words.orders;

const order = signal<Order>('best');
const least = signal(0);
const flawed = signal(false);

const shown = computed(() => {
  const fits = allFaces.value.filter(
    ({ face }) => (face.quality ?? 100) >= least.value && (!flawed.value || face.reasons.length > 0),
  );
  if (order.value === 'found') return fits;
  const sign = order.value === 'best' ? -1 : 1;
  return fits.sort((a, b) => sign * (a.face.magnitude - b.face.magnitude));
});

export function FaceList(): JSX.Element {
  return (
    <section aria-labelledby="faces-heading">
      <h2 id="faces-heading">
        {words.facesHeading} <small>{words.shown(shown.value.length, allFaces.value.length)}</small>
      </h2>
      <Tools />
      <ul class="faces">
        {shown.value.map((face) => (
          <FaceCard key={face.id} face={face} />
        ))}
      </ul>
    </section>
  );
}

function FaceCard({ face: one }: { readonly face: PhotoFace }): JSX.Element {
  const { id, number, name, face } = one;
  const kept = !leftOut.value.has(id);
  const person = personOf.value.get(id);
  const light = (on: boolean) => () => {
    litFace.value = on ? id : undefined;
  };
  return (
    <li
      class={`face ${kept ? '' : 'left-out'} ${litFace.value === id ? 'lit' : ''}`}
      style={colours(face)}
      onPointerEnter={light(true)}
      onPointerLeave={light(false)}
      onFocusIn={light(true)}
      onFocusOut={light(false)}
    >
      <FaceButton face={one} size={88} />
      <FaceFacts
        face={face}
        where={
          <>
            {name}
            {person !== undefined && <span> · {titleOf(person)}</span>}
          </>
        }
      />
      <label class="keep">
        <input
          type="checkbox"
          checked={kept}
          aria-label={words.keepFace(number, name)}
          onChange={(event) => keep(id, event.currentTarget.checked)}
        />
        <span aria-hidden="true">{words.keep}</span>
      </label>
    </li>
  );
}

function Tools(): JSX.Element {
  return (
    <section class="tools" aria-label={words.tools}>
      <div class="row">
        <label>
          {words.sort}{' '}
          <select
            value={order.value}
            onChange={(event) => {
              order.value = event.currentTarget.value as Order;
            }}
          >
            {(Object.keys(words.orders) as Order[]).map((name) => (
              <option key={name} value={name}>
                {words.orders[name]}
              </option>
            ))}
          </select>
        </label>
        <label>
          {words.least}{' '}
          <input
            type="range"
            min="0"
            max="100"
            step="5"
            value={least.value}
            onInput={(event) => {
              least.value = event.currentTarget.valueAsNumber;
            }}
          />{' '}
          <output>{least.value}</output>
        </label>
        <Check label={words.flawed} value={flawed} />
        <SaveButtons />
      </div>
      <div class="row">
        {canGroup.value && (
          <button type="button" disabled={grouping.value === undefined || isGrouping.value} onClick={keepBestOfEach}>
            {words.keepBest}
          </button>
        )}
        <button type="button" onClick={keepAll}>
          {words.keepAll}
        </button>
        <button type="button" onClick={keepNone}>
          {words.keepNone}
        </button>
        <span class="soft" role="status">
          {words.keptOf(keptFaces.value.length, allFaces.value.length)}
        </span>
      </div>
    </section>
  );
}

function SaveButtons(): JSX.Element {
  const cutting = useSignal<number | undefined>(undefined);
  const kept = keptFaces.value;
  const table = (): string => faceTable(kept, canGroup.value ? personOf.value : undefined);
  const save = async (): Promise<void> => {
    cutting.value = 0;
    try {
      const onProgress = (done: number): void => {
        cutting.value = done;
      };
      const ids = new Set(kept.map(({ id }) => id));
      download('faces.zip', await faceArchive(seenPhotos.value, ids, { table: table(), onProgress }));
    } finally {
      cutting.value = undefined;
    }
  };
  return (
    <span class="row end">
      <button
        type="button"
        disabled={kept.length === 0}
        onClick={() => download('faces.csv', new Blob([table()], { type: 'text/csv' }))}
      >
        {words.csv}
      </button>
      <button type="button" class="primary" disabled={kept.length === 0 || cutting.value !== undefined} onClick={save}>
        {cutting.value === undefined ? words.zip(kept.length) : words.zipping(cutting.value, kept.length)}
      </button>
    </span>
  );
}
