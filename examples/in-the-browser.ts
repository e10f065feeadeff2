/**
 * Scores every photo chosen in `<input type="file" multiple>`. Use any bundler that supports `new URL('…', import.meta.url)`
 * (Vite, webpack, Parcel). `magface page --output public --models-only` writes the models next to the page.
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
