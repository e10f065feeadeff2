/** A labelled checkbox. */
import type { Signal } from '@preact/signals';
import type { JSX } from 'preact';

export function Check({ label, value }: { readonly label: string; readonly value: Signal<boolean> }): JSX.Element {
  return (
    <label>
      <input
        type="checkbox"
        checked={value.value}
        onChange={(event) => {
          value.value = event.currentTarget.checked;
        }}
      />{' '}
      {label}
    </label>
  );
}
