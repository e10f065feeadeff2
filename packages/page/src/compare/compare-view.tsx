/** Shows two pictures side by side, and the decision between them. */
import type { JSX } from 'preact';
import { useEffect } from 'preact/hooks';
import { DropZone, FileButton } from '../shared/drop-zone.tsx';
import { Crop, colours, FaceFacts, poor } from '../shared/face-parts.tsx';
import { type GivenFiles, pastedPictures } from '../shared/files.ts';
import { texts } from '../texts.ts';
import {
  chooseFace,
  chosenFaces,
  chosenThreshold,
  comparison,
  type Picture,
  pictures,
  rate,
  refuseFile,
  type Side,
  setPicture,
  thresholds,
} from './comparison.ts';

const words = texts.compare;

export function CompareView(): JSX.Element {
  useEffect(() => {
    const paste = (event: ClipboardEvent): void => {
      const [file] = pastedPictures(event);
      if (file) void setPicture(pictures[0].value === undefined ? 0 : 1, file);
    };
    document.addEventListener('paste', paste);
    return () => document.removeEventListener('paste', paste);
  }, []);
  return (
    <>
      <h1>{words.heading}</h1>
      <p class="lead">{words.lead}</p>
      <div class="pair">
        <PictureSide side={0} />
        <PictureSide side={1} />
      </div>
      <Decision />
    </>
  );
}

function PictureSide({ side }: { readonly side: Side }): JSX.Element {
  const picture = pictures[side].value;
  const take = ({ pictures: [first, second], clips: [clip], others: [other = clip] }: GivenFiles): void => {
    if (first) void setPicture(side, first);
    else if (other) refuseFile(side, other);
    if (second) void setPicture(side === 0 ? 1 : 0, second);
  };
  return (
    <DropZone label={words.sides[side]} onFiles={take} class="picture">
      <h2>{words.sides[side]}</h2>
      {picture === undefined && <p class="soft">{words.drop}</p>}
      <div aria-live="polite">
        {picture?.kind === 'looking' && <p class="soft">{words.looking}</p>}
        {picture?.kind === 'failed' && <p>{picture.message}</p>}
      </div>
      {picture?.kind === 'seen' && <SeenPicture side={side} picture={picture} />}
      <FileButton
        label={picture ? words.another : words.choose}
        onFiles={take}
        single
        class={picture ? '' : 'primary'}
      />
    </DropZone>
  );
}

function SeenPicture({ side, picture }: { readonly side: Side; readonly picture: Picture }): JSX.Element {
  const face = picture.faces[picture.chosen]!;
  return (
    <div class="chosen" style={colours(face)}>
      <Crop face={face} label={`${picture.name}, ${words.face(picture.chosen + 1)}`} size={168} />
      <FaceFacts face={face} where={picture.name} />
      {picture.faces.length > 1 && (
        <fieldset>
          <legend>{words.which}</legend>
          {picture.faces.map((one, i) => (
            <label key={i} class="choice">
              <input
                type="radio"
                name={`face-${side}`}
                checked={i === picture.chosen}
                onChange={() => chooseFace(side, i)}
              />
              <Crop face={one} label={words.face(i + 1)} size={52} />
            </label>
          ))}
        </fieldset>
      )}
    </div>
  );
}

function Decision(): JSX.Element {
  const result = comparison.value;
  return (
    <section class="decision" role="status">
      {result !== undefined && (
        <>
          <h2>{result.same === undefined ? words.undecided : result.same ? words.same : words.different}</h2>
          <Scale similarity={result.similarity} threshold={result.threshold?.threshold} />
          <Meaning />
          <Warnings />
        </>
      )}
      {thresholds.value.length > 1 && (
        <label>
          {words.rate}{' '}
          <select
            value={chosenThreshold.value?.fmr}
            onChange={(event) => {
              rate.value = Number(event.currentTarget.value);
            }}
          >
            {thresholds.value.map(({ fmr }) => (
              <option key={fmr} value={fmr}>
                {words.rateOption(fmr)}
              </option>
            ))}
          </select>
        </label>
      )}
    </section>
  );
}

function Meaning(): JSX.Element | null {
  const result = comparison.value;
  if (result === undefined) return null;
  const { threshold, same } = result;
  if (threshold === undefined) return <p>{words.noThreshold}</p>;
  const mean = same ? words.meansSame : words.meansDifferent;
  return (
    <>
      <p>{mean(threshold.threshold, threshold.fmr)}</p>
      <p class="soft">{words.measuredOn(threshold.set)}</p>
    </>
  );
}

function Warnings(): JSX.Element {
  return (
    <>
      {chosenFaces.value.map((face, side) =>
        face?.quality !== undefined && face.quality < poor ? (
          <p key={side} class="warning">
            {words.lowQuality(words.sides[side]!)}
          </p>
        ) : null,
      )}
    </>
  );
}

/** A scale from strangers to the same picture, with the similarity and the threshold. */
function Scale({
  similarity,
  threshold,
}: {
  readonly similarity: number;
  readonly threshold: number | undefined;
}): JSX.Element {
  const at = (value: number): string => `${100 * Math.min(1, Math.max(0, value))}%`;
  /** Position of a label, which is wider than its mark. */
  const within = (value: number): string => `clamp(32px, ${at(value)}, calc(100% - 32px))`;
  return (
    <div class="scale" role="img" aria-label={words.scale(similarity, threshold ?? 0)}>
      <span class="value" style={{ left: within(similarity) }}>
        {similarity.toFixed(2)}
      </span>
      <span class="track">
        <span class="fill" style={{ width: at(similarity) }} />
        {threshold !== undefined && <span class="bound" style={{ left: at(threshold) }} />}
      </span>
      {threshold !== undefined && (
        <span class="bound-words" style={{ left: within(threshold) }}>
          {words.bound(threshold)}
        </span>
      )}
    </div>
  );
}
