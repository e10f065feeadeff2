/** Light or dark theme: the system's, until the user chooses another. */
import { effect, signal } from '@preact/signals';

const key = 'magface-theme';
const system = matchMedia('(prefers-color-scheme: dark)');
const chosen = signal<string | null>(read());

export const dark = signal(false);
effect(() => {
  dark.value = chosen.value === null ? system.matches : chosen.value === 'dark';
  if (chosen.value !== null) document.documentElement.dataset['theme'] = chosen.value;
});
system.addEventListener('change', () => {
  if (chosen.value === null) dark.value = system.matches;
});

export function switchTheme(): void {
  chosen.value = dark.value ? 'light' : 'dark';
  try {
    localStorage.setItem(key, chosen.value);
  } catch {
    // Without storage the choice lasts until the page is closed.
  }
}

function read(): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
