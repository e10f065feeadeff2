/** Extracts pictures and clips from dropped, pasted and chosen files. */

/** The given files, by kind. */
export interface GivenFiles {
  /** Includes unsupported image formats, each of which is reported by name when it is processed. */
  readonly pictures: readonly File[];
  readonly clips: readonly File[];
  readonly others: readonly File[];
}

const pictureName = /\.(jpe?g|png|webp|avif|gif|bmp|hei[cf]|tiff?)$/i;

/** Browsers leave the type empty for unknown extensions. */
const isPicture = ({ type, name }: File): boolean => (type === '' ? pictureName.test(name) : type.startsWith('image/'));

const clipName = /\.(mp4|m4v|mov|webm|mkv|avi|ogv)$/i;

const isClip = ({ type, name }: File): boolean => (type === '' ? clipName.test(name) : type.startsWith('video/'));

/** Files that operating systems create in folders. */
const isHidden = ({ name }: File): boolean => /^(\.|Thumbs\.db$|desktop\.ini$)/i.test(name);

export function toldApart(files: readonly File[]): GivenFiles {
  const shown = files.filter((file) => !isHidden(file));
  const pictures = shown.filter(isPicture);
  const clips = shown.filter((file) => !isPicture(file) && isClip(file));
  return { pictures, clips, others: shown.filter((file) => !isPicture(file) && !isClip(file)) };
}

/** @returns the dropped files, including those in dropped folders, sorted by name */
export async function droppedFiles(data: DataTransfer): Promise<File[]> {
  const items = [...data.items].filter(({ kind }) => kind === 'file');
  const entries = items.map((item) => item.webkitGetAsEntry()); // read all now, because the list is emptied after the event
  const loose = items.map((item) => item.getAsFile());
  const files = await Promise.all(entries.map((entry, i) => (entry === null ? [loose[i]] : filesUnder(entry))));
  return files.flat().filter((file) => file != null);
}

/** @returns the pasted pictures */
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

/** A reader returns a folder in parts; an empty part marks the end. */
function readPart(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  return new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}
