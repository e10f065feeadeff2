/** Scores every face in a folder. Run: npx tsx -C magface:source examples/quality-of-folder.ts FOLDER */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MagFace } from 'magface';

const [folder = '.'] = process.argv.slice(2);
const files = (await readdir(folder)).filter((file) => /\.(jpe?g|png|webp)$/i.test(file)).sort();

await using magface = await MagFace.load();
for await (const { input, faces, error } of magface.stream(files.map((file) => join(folder, file)))) {
  if (error !== undefined) console.error(error.message);
  for (const { magnitude, quality, reasons } of faces ?? []) {
    const wrong = reasons.map(({ code }) => code).join(', ');
    console.log(`${input}: magnitude ${magnitude.toFixed(2)}, quality ${quality ?? 'not calibrated'}. ${wrong}`);
  }
}
