/** Downloads. */
import { zipSync } from 'fflate';

export function download(name: string, file: Blob): void {
  const address = URL.createObjectURL(file);
  Object.assign(document.createElement('a'), { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000); // long after the browser has started to read it
}

/** @param files - by path; stored without compression, because pictures are compressed already */
export async function zipped(files: ReadonlyMap<string, Blob>): Promise<Blob> {
  const contents: Record<string, Uint8Array> = {};
  for (const [path, file] of files) contents[path] = new Uint8Array(await file.arrayBuffer());
  const bytes = zipSync(contents, { level: 0 }) as Uint8Array<ArrayBuffer>;
  return new Blob([bytes], { type: 'application/zip' });
}

/** @returns a unique name in the folder: `a.jpg`, `a-2.jpg` */
export function freeName(name: string, taken: ReadonlyMap<string, unknown>): string {
  if (!taken.has(name)) return name;
  const dot = name.lastIndexOf('.');
  for (let n = 2; ; n++) {
    const next = `${name.slice(0, dot)}-${n}${name.slice(dot)}`;
    if (!taken.has(next)) return next;
  }
}
