/** The camera picture with live scores, the best shot, and automatic shots. */
import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { download, zipped } from '../shared/download.ts';
import { Boxes, colours, Meter, Reasons, Score, scoreOf } from '../shared/face-parts.tsx';
import { texts } from '../texts.ts';
import {
  best,
  burst,
  camera,
  forgetBest,
  forgetShots,
  problem,
  rate,
  type Shot,
  seen,
  shots,
  startCamera,
  stopCamera,
} from './camera.ts';

const words = texts.camera;

export function CameraView(): JSX.Element {
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => () => stopCamera(video.current), []);
  const off = camera.value === 'off';
  return (
    <>
      <h1>{words.heading}</h1>
      <p class="lead">{words.lead}</p>
      {problem.value !== undefined && (
        <p class="notice" role="alert">
          {problem.value}
        </p>
      )}
      <div class="camera">
        <div>
          <div class={`photo ${off ? 'off' : ''}`}>
            <video ref={video} aria-label={words.video} muted playsInline />
            {seen.value !== undefined && <Boxes {...seen.value} />}
            {off && (
              <button type="button" class="primary" onClick={() => video.current && startCamera(video.current)}>
                {words.start}
              </button>
            )}
          </div>
          {!off && (
            <div class="row">
              <button type="button" onClick={() => stopCamera(video.current)}>
                {words.stop}
              </button>
              {rate.value > 0 && <span class="soft">{words.rate(rate.value)}</span>}
            </div>
          )}
        </div>
        <div class="side">
          <Live />
          <Best />
        </div>
      </div>
      <Burst />
    </>
  );
}

function Live(): JSX.Element {
  const face = seen.value?.faces[0];
  return (
    <section class="card live" style={face && colours(face)}>
      <h2>{words.live}</h2>
      {face === undefined ? (
        <p class="soft">{camera.value === 'on' ? words.noFace : words.noPicture}</p>
      ) : (
        <>
          <Score face={face} large />
          <Meter face={face} />
          <Reasons face={face} />
        </>
      )}
    </section>
  );
}

function Best(): JSX.Element {
  const shot = best.value;
  return (
    <section class="card">
      <h2>{words.best}</h2>
      {shot === undefined ? (
        <p class="soft">{words.noBest}</p>
      ) : (
        <>
          <ShotPicture shot={shot} />
          <div class="row">
            <button type="button" onClick={() => download(shotName(shot), shot.picture)}>
              {words.save}
            </button>
            <button type="button" class="quiet" onClick={forgetBest}>
              {words.again}
            </button>
          </div>
        </>
      )}
    </section>
  );
}

function Burst(): JSX.Element {
  const { on, above } = burst.value;
  const list = shots.value;
  return (
    <section>
      <h2>{words.burst}</h2>
      <div class="row">
        <label>
          <input
            type="checkbox"
            checked={on}
            onChange={(event) => {
              burst.value = { on: event.currentTarget.checked, above };
            }}
          />{' '}
          {words.burstOn}
        </label>
        <label>
          {words.above}{' '}
          <input
            type="range"
            min="0"
            max="100"
            step="5"
            value={above}
            onInput={(event) => {
              burst.value = { on, above: event.currentTarget.valueAsNumber };
            }}
          />{' '}
          <output>{above}</output>
        </label>
        <span class="soft" role="status">
          {words.shots(list.length)}
        </span>
        {list.length > 0 && (
          <span class="row end">
            <button type="button" onClick={saveAll}>
              {words.zip}
            </button>
            <button type="button" class="quiet" onClick={forgetShots}>
              {words.clear}
            </button>
          </span>
        )}
      </div>
      <p class="soft">{words.burstHint(above)}</p>
      <ul class="shots">
        {list.map((shot) => (
          <li key={shot.id}>
            <ShotPicture shot={shot} />
            <button
              type="button"
              class="quiet"
              aria-label={words.saveShot(qualityOf(shot))}
              onClick={() => download(shotName(shot), shot.picture)}
            >
              {words.save}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function ShotPicture({ shot }: { readonly shot: Shot }): JSX.Element {
  return (
    <figure class="shot" style={colours(shot.face)}>
      <img src={shot.address} alt={words.shotAlt(qualityOf(shot))} />
      <figcaption>
        <b>{scoreOf(shot.face)}</b> {texts.verdict(shot.face.quality)}
      </figcaption>
    </figure>
  );
}

const qualityOf = ({ face }: Shot): number => Math.round(face.quality ?? 0);
const shotName = (shot: Shot): string => `shot-${shot.id}-quality-${qualityOf(shot)}.jpg`;

async function saveAll(): Promise<void> {
  download('shots.zip', await zipped(new Map(shots.value.map((shot) => [shotName(shot), shot.picture]))));
}
