/** Finds the photo with the best face. Run: npx tsx -C magface:source examples/best-shot.ts PHOTO... */
import { MagFace } from 'magface';

await using magface = await MagFace.load();
let best = { photo: '', magnitude: 0 };
for await (const { input: photo, faces, error } of magface.stream(process.argv.slice(2))) {
  if (error !== undefined) console.error(error.message);
  for (const { magnitude } of faces ?? []) if (magnitude > best.magnitude) best = { photo, magnitude };
}
console.log(best.photo === '' ? 'no face in any photo' : `${best.photo}: magnitude ${best.magnitude.toFixed(2)}`);
