/** Saves kept faces as a table and as files. */

import { printedQuality } from 'magface/browser';
import type { Photo, PhotoFace } from '../album/photo.ts';
import type { ShownPerson } from '../people/people-set.ts';
import { freeName, zipped } from '../shared/download.ts';
import { cropFile, cutOut } from '../shared/pictures.ts';

/** The columns of `magface quality --format csv`, plus person and name if faces are grouped. */
export function faceTable(faces: readonly PhotoFace[], people?: ReadonlyMap<string, ShownPerson>): string {
  const head = ['image', 'face', 'x', 'y', 'width', 'height', 'detection', 'magnitude', 'quality', 'reasons'];
  const rows = faces.map(({ id, name, number, face }) => {
    const { box, detection, magnitude, quality, reasons } = face;
    const score = printedQuality(quality) ?? undefined;
    const cells = [name, number - 1, box.x, box.y, box.width, box.height, detection, magnitude, score];
    const why = reasons.map(({ code, value }) => `${code}=${value}`).join(' ');
    return [...cells, why, ...(people ? [people.get(id)?.number, people.get(id)?.name] : [])];
  });
  return [people ? [...head, 'person', 'name'] : head, ...rows]
    .map((cells) => `${cells.map(cell).join(',')}\r\n`)
    .join('');
}

/** Quotes cells if CSV requires it, and neutralizes characters that a spreadsheet would read as a formula. */
function cell(value: string | number | undefined): string {
  if (typeof value !== 'string') return value === undefined ? '' : String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** A zip with faces cropped from photos, aligned crops, and the table. */
export async function faceArchive(
  photos: readonly Photo[],
  kept: ReadonlySet<string>,
  options: { readonly table: string; readonly onProgress: (done: number) => void },
): Promise<Blob> {
  const files = new Map<string, Blob>([['faces.csv', new Blob([options.table])]]);
  let done = 0;
  for (const { file, faces } of photos) {
    const wanted = faces.filter(({ id }) => kept.has(id));
    if (wanted.length === 0) continue;
    const bitmap = await createImageBitmap(file);
    for (const { number, face } of wanted) {
      const stem = `${fileStem(file.name)}-face${number}`;
      files.set(freeName(`faces/${stem}.jpg`, files), await cutOut(bitmap, face.box));
      files.set(freeName(`aligned/${stem}.png`, files), await cropFile(face.crop));
      options.onProgress(++done);
    }
    bitmap.close();
  }
  return zipped(files);
}

/** A name that is valid on every file system. */
const fileStem = (name: string): string =>
  name
    .replace(/\.[^.]+$/, '')
    .replaceAll(/[^\p{L}\p{N}._-]+/gu, '_')
    .slice(0, 80) || 'photo';
