/** Pictures out of what people drop, paste and choose. */

const pictureName = /\.(jpe?g|png|webp|avif|gif|bmp)$/i;

/** Browsers leave the type empty for names that they do not know. */
export const isPicture = ({ type, name }: File): boolean =>
  type === '' ? pictureName.test(name) : type.startsWith('image/');

/** @returns the pictures of a drop, those of dropped folders too, in the order of their names */
export async function droppedPictures(data: DataTransfer): Promise<File[]> {
  const items = [...data.items].filter(({ kind }) => kind === 'file');
  const entries = items.map((item) => item.webkitGetAsEntry()); // all at once: the list is emptied after the event
  const loose = items.map((item) => item.getAsFile());
  const files = await Promise.all(entries.map((entry, i) => (entry === null ? [loose[i]] : filesUnder(entry))));
  return files.flat().filter((file): file is File => file != null && isPicture(file));
}

/** @returns the pictures of a paste */
export function pastedPictures(event: ClipboardEvent): File[] {
  return [...(event.clipboardData?.files ?? [])].filter(isPicture);
}

async function filesUnder(entry: FileSystemEntry): Promise<File[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [file];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const children: FileSystemEntry[] = [];
  for (let part = await readPart(reader); part.length > 0; part = await readPart(reader)) children.push(...part);
  children.sort((a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }));
  return (await Promise.all(children.map(filesUnder))).flat();
}

/** A reader hands a folder out in parts, the last of which is empty. */
function readPart(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  return new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}
