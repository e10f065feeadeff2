/** Folder of the research data: `../shared` next to the project, or the folder that MAGFACE_DATA names. */
import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const dataFolder: string =
  process.env['MAGFACE_DATA'] ?? fileURLToPath(new URL('../../../shared', import.meta.url));

/** People of CelebA, by their folders, who are in LFW too; the notes of the data name them. */
export const alsoInLfw: ReadonlySet<string> = new Set(['7218', '7261', '7355', '7398']);

/** How to get each part. */
const remedies: readonly (readonly [part: string, remedy: string])[] = [
  ['faces/lfw', '`npm run data -- lfw` says how to get it'],
  ['faces/celeba', '`npm run data -- celeba` says how to get it'],
  ['faces/cfp', '`npm run data -- cfp` says how to get it'],
  ['photos', 'put photographs of your own there'],
  [
    'models/foamliu_mobilefacenet.onnx',
    'export the weights of github.com/foamliu/MobileFaceNet with `npx magface convert mobilefacenet.pth` to that file',
  ],
];

/**
 * @param parts - below the folder that a bench reads, such as `faces/lfw`
 * @returns the folder, ending in a separator; exits with a message if a part is missing
 */
export function researchFolder(...parts: readonly string[]): string {
  for (const part of parts) {
    const path = join(dataFolder, part);
    if (existsSync(path)) continue;
    const remedy =
      remedies.find(([known]) => part.startsWith(known))?.[1] ?? 'set MAGFACE_DATA to the folder that holds it';
    console.error(`Expected ${path} but it is not there: ${remedy}.`);
    process.exit(2);
  }
  return dataFolder + sep;
}
