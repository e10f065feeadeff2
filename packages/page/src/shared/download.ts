/** Files that the page gives to people. */
import { zipSync } from 'fflate';

export function download(name: string, file: Blob): void {
  const address = URL.createObjectURL(file);
  Object.assign(document.createElement('a'), { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // long after any browser has begun to read it
}

/** @param files - by path; pictures, which are compressed already, so that nothing is compressed again */
export async function zipped(files: ReadonlyMap<string, Blob>): Promise<Blob> {
  const contents: Record<string, Uint8Array> = {};
  for (const [path, file] of files) contents[path] = new Uint8Array(await file.arrayBuffer());
  const bytes = zipSync(contents, { level: 0 }) as Uint8Array<ArrayBuffer>;
  return new Blob([bytes], { type: 'application/zip' });
}

/** @returns a name that no other file of the folder has: `a.jpg`, `a-2.jpg` */
export function freeName(name: string, taken: ReadonlyMap<string, unknown>): string {
  if (!taken.has(name)) return name;
  const dot = name.lastIndexOf('.');
  for (let n = 2; ; n++) {
    const next = `${name.slice(0, dot)}-${n}${name.slice(dot)}`;
    if (!taken.has(next)) return next;
  }
}
