/** Whether the user points with fingers: on telephones and tablets. */
import { signal } from '@preact/signals';

const query = matchMedia('(pointer: coarse)');

export const isTouch = signal(query.matches);
query.addEventListener('change', ({ matches }) => {
  isTouch.value = matches;
});
