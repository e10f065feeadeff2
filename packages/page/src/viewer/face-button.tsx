/** An aligned face that shows its photo when it is pressed. */
import type { JSX } from 'preact';
import type { PhotoFace } from '../album/photo.ts';
import { Crop } from '../shared/face-parts.tsx';
import { texts } from '../texts.ts';
import { litFace, view } from './viewer.ts';

interface FaceButtonProps {
  readonly face: PhotoFace;
  /** Displayed width and height, in pixels. */
  readonly size: number;
}

export function FaceButton({ face: { id, number, name, photo, face }, size }: FaceButtonProps): JSX.Element {
  const light = (on: boolean) => () => {
    litFace.value = on ? id : undefined;
  };
  return (
    <button
      type="button"
      class="face-button"
      aria-label={texts.photos.showFace(number, name)}
      onClick={() => view(photo, id)}
      onPointerEnter={light(true)}
      onPointerLeave={light(false)}
      onFocus={light(true)}
      onBlur={light(false)}
    >
      <Crop face={face} size={size} />
    </button>
  );
}
