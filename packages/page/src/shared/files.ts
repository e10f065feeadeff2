/** Pictures out of what people drop, paste and choose. */

/** What people gave, told apart. */
export interface GivenFiles {
  /** Also those of kinds that cannot be read: each is refused by name when its turn comes. */
  readonly pictures: readonly File[];
  readonly others: readonly File[];
}

const pictureName = /\.(jpe?g|png|webp|avif|gif|bmp|hei[cf]|tiff?)$/i;

/** Browsers leave the type empty for names that they do not know. */
const isPicture = ({ type, name }: File): boolean => (type === '' ? pictureName.test(name) : type.startsWith('image/'));

/** What systems put into folders by themselves: nobody means to give it. */
const isHidden = ({ name }: File): boolean => /^(\.|Thumbs\.db$|desktop\.ini$)/i.test(name);

export const toldApart = (files: readonly File[]): GivenFiles => ({
  pictures: files.filter((file) => isPicture(file) && !isHidden(file)),
  others: files.filter((file) => !isPicture(file) && !isHidden(file)),
});

/** @returns the files of a drop, those of dropped folders too, in the order of their names */
export async function droppedFiles(data: DataTransfer): Promise<File[]> {
  const items = [...data.items].filter(({ kind }) => kind === 'file');
  const entries = items.map((item) => item.webkitGetAsEntry()); // all at once: the list is emptied after the event
  const loose = items.map((item) => item.getAsFile());
  const files = await Promise.all(entries.map((entry, i) => (entry === null ? [loose[i]] : filesUnder(entry))));
  return files.flat().filter((file) => file != null);
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
