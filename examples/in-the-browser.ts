/**
 * Scores every photo that is chosen on a page with `<input type="file" multiple>`. Any bundler that knows
 * `new URL('…', import.meta.url)` will do (Vite, webpack, Parcel); `magface page --output public --models-only` puts the
 * models beside the page.
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { describeReason, MagFace } from 'magface/browser';

const input = document.querySelector('input')!;
const magface = await MagFace.load({ models: '/models/' });

input.addEventListener('change', async () => {
  for await (const { input: file, faces, error } of magface.stream(input.files ?? [])) {
    if (error !== undefined) console.warn(error.message);
    for (const { quality, reasons } of faces ?? []) console.log(file.name, quality, reasons.map(describeReason));
  }
});
