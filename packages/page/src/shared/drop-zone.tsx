/** An area for dropping or choosing pictures or clips. */
import type { ComponentChildren, JSX } from 'preact';
import { useState } from 'preact/hooks';
import { droppedFiles, type GivenFiles, toldApart } from './files.ts';

export interface DropZoneProps {
  readonly label: string;
  readonly onFiles: (given: GivenFiles) => void;
  readonly children: ComponentChildren;
  readonly class?: string;
}

export function DropZone({ label, onFiles, children, class: name = '' }: DropZoneProps): JSX.Element {
  const [over, setOver] = useState(false);
  const drop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    const take = (files: readonly File[]): void => onFiles(toldApart(files));
    if (event.dataTransfer) droppedFiles(event.dataTransfer).then(take, () => take([]));
  };
  return (
    <section
      class={`drop ${name} ${over ? 'over' : ''}`}
      aria-label={label}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      {children}
    </section>
  );
}

export interface FileButtonProps {
  readonly label: string;
  readonly onFiles: (given: GivenFiles) => void;
  /** Choose a folder instead of files. @default false */
  readonly folder?: boolean;
  /** Accept only one file. @default false */
  readonly single?: boolean;
  /** @default pictures */
  readonly accept?: 'image/*' | 'video/*';
  readonly class?: string;
}

/** A button that opens the file dialog. The input itself has the label, so that it is reachable by keyboard. */
export function FileButton({
  label,
  onFiles,
  folder = false,
  single = false,
  accept = 'image/*',
  class: name = '',
}: FileButtonProps): JSX.Element {
  const choose = ({ currentTarget: input }: { readonly currentTarget: HTMLInputElement }): void => {
    onFiles(toldApart([...(input.files ?? [])]));
    input.value = ''; // so that the same file can be chosen again
  };
  return (
    <label class={`button ${name}`}>
      {label}
      <input
        type="file"
        accept={accept}
        multiple={!single}
        {...(folder ? { webkitdirectory: true } : {})}
        onChange={choose}
      />
    </label>
  );
}
