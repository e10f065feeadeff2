/** Components that show faces, shared by all views. */
import { type AnalyzedFace, type QualityColour, qualityColour } from 'magface/browser';
import type { ComponentChildren, JSX } from 'preact';
import { useCallback } from 'preact/hooks';
import { texts } from '../texts.ts';
import { imageData } from './pictures.ts';

/** Below this quality the page calls a face poor. */
export const poor = 20;

/** Without a calibration there is no score, and all faces get the middle colour. */
export const colourOf = ({ quality }: AnalyzedFace): QualityColour => qualityColour(quality ?? 50);

/** The score, or the magnitude if the model has no calibration. */
export const scoreOf = ({ quality, magnitude }: AnalyzedFace): string =>
  quality === undefined ? magnitude.toFixed(1) : String(Math.round(quality));

/** CSS variables for the face's colours. */
export function colours(face: AnalyzedFace): Record<string, string> {
  const { colour, on } = colourOf(face);
  return { '--quality': colour, '--on-quality': on };
}

/** The aligned face. */
export function Crop({ face, label, size = 72 }: CropProps): JSX.Element {
  // The same function for the same face: otherwise the face would be drawn with each change around it.
  const draw = useCallback(
    (canvas: HTMLCanvasElement | null): void => canvas?.getContext('2d')?.putImageData(imageData(face.crop), 0, 0),
    [face],
  );
  const { width, height } = face.crop;
  return (
    <canvas
      class="crop"
      ref={draw}
      {...(label === undefined ? { 'aria-hidden': true } : { role: 'img', 'aria-label': label })}
      width={width}
      height={height}
      style={{ width: `${size}px`, height: `${size}px` }}
    />
  );
}

interface CropProps {
  readonly face: AnalyzedFace;
  /** Without one, the text around the face names it. */
  readonly label?: string;
  /** Displayed width and height, in pixels. */
  readonly size?: number;
}

/** A bar from 0 to 100 next to the same value as a number. */
export function Meter({ face }: { readonly face: AnalyzedFace }): JSX.Element {
  return (
    <span class="meter" aria-hidden="true">
      <span style={{ width: `${face.quality ?? 0}%` }} />
    </span>
  );
}

/** The reasons for a face's low quality, one per line, then what it would score without each. */
export function Reasons({ face }: { readonly face: AnalyzedFace }): JSX.Element {
  if (face.reasons.length === 0) {
    return <p class="reasons soft">{texts.photos.nothingWrong}</p>;
  }
  return (
    <ul class="reasons">
      {face.reasons.map((reason) => (
        <li key={reason.code}>{texts.reason(reason)}</li>
      ))}
      {face.estimates.map((estimate) => (
        <li key={`estimate ${estimate.code}`} class="soft">
          {texts.estimate(estimate)}
        </li>
      ))}
    </ul>
  );
}

/** Boxes over a picture that shows all of `width` x `height` pixels. The text next to it says the same. */
export function Boxes({ width, height, faces, lit, label, onSelect, onLight }: BoxesProps): JSX.Element {
  return (
    <>
      <svg viewBox={`0 0 ${width} ${height}`} aria-hidden="true">
        {faces.map((face, i) => {
          const { x, y, width: w, height: h } = face.box;
          const place = { x, y, width: w, height: h, rx: w / 30 };
          return (
            <g key={i} style={colours(face)} class={lit?.(face) ? 'lit' : ''}>
              <rect class="edge" {...place} />
              <rect class="box" {...place} />
            </g>
          );
        })}
      </svg>
      {faces.map((face, i) => {
        const [left, top] = [share(face.box.x, width), share(face.box.y, height)];
        const style = { ...colours(face), left: `${left}%`, top: `${top}%` };
        return (
          <span key={i} class={top < 6 ? 'chip inside' : 'chip'} style={style} aria-hidden="true">
            {scoreOf(face)}
          </span>
        );
      })}
      {onSelect !== undefined &&
        faces.map(({ box }, i) => (
          <button
            key={i}
            type="button"
            class="place"
            aria-label={label?.(i)}
            style={{
              left: `${share(box.x + box.width / 2, width)}%`,
              top: `${share(box.y + box.height / 2, height)}%`,
              width: `${(100 * box.width) / width}%`,
              height: `${(100 * box.height) / height}%`,
            }}
            onClick={() => onSelect(i)}
            onPointerEnter={() => onLight?.(i)}
            onPointerLeave={() => onLight?.(undefined)}
          />
        ))}
    </>
  );
}

interface BoxesProps {
  readonly width: number;
  readonly height: number;
  readonly faces: readonly AnalyzedFace[];
  /** Whether a face's box is highlighted. @default none */
  readonly lit?: (face: AnalyzedFace) => boolean;
  /** Name of a face's button. */
  readonly label?: (index: number) => string;
  /** Makes each face a button. */
  readonly onSelect?: (index: number) => void;
  /** Called with the face under the pointer. */
  readonly onLight?: (index: number | undefined) => void;
}

/** Per cent, clamped to the picture. */
const share = (value: number, whole: number): number => Math.min(96, Math.max(0, (100 * value) / whole));

/** The score, and what it means in a word. */
export function Score({ face, large = false }: { readonly face: AnalyzedFace; readonly large?: boolean }): JSX.Element {
  return (
    <p class={large ? 'score large' : 'score'}>
      <b>{scoreOf(face)}</b> <small>{texts.verdict(face.quality)}</small>
    </p>
  );
}

interface FaceFactsProps {
  readonly face: AnalyzedFace;
  /** Identifies the face, such as its picture. */
  readonly where: ComponentChildren;
}

/** Text next to a face: score, meter, origin and reasons. */
export function FaceFacts({ face, where }: FaceFactsProps): JSX.Element {
  return (
    <div>
      <Score face={face} />
      <Meter face={face} />
      <p class="where">{where}</p>
      <Reasons face={face} />
    </div>
  );
}
