/** Names of the files of cut-out faces. */
import { existsSync } from 'node:fs';
import { join, parse } from 'node:path';

/** `photos/a.jpg`, face 0: `a_0` */
export const faceName = (image: string, face: number): string => `${parse(image).name}_${face}`;

/** Photos of different folders may share a name, and earlier faces are kept. @returns `a_0.png`, `a_0-2.png`, ... */
export function freeName(folder: string, stem: string): string {
  for (let number = 1; ; number++) {
    const name = number === 1 ? `${stem}.png` : `${stem}-${number}.png`;
    if (!existsSync(join(folder, name))) return name;
  }
}
