/** Recognizes image files by name. Folders, shards and lists share this list. */

/** The supported formats, for messages. */
export const imageKinds = 'JPEG, PNG, WebP, AVIF, TIFF or GIF';

/** Includes HEIC, which an optional dependency reads: without it a folder of phone photos fails with an error that names it. */
const endings = 'jpe?g|mpo|png|webp|avif|hei[cf]|tiff?|gif';
/** RAW files of cameras, whose preview is read. */
const rawEndings = 'dng|cr2|nef|nrw|arw|srw|pef|orf|rw2|raf';
/** Images that this package cannot decode. Older versions wrote images of unknown format as `.img`. */
const foreignEndings = 'bmp|img|cr3';

const imageEnding = new RegExp(`\\.(${endings}|${rawEndings})$`, 'i');
const ofRaw = new RegExp(`\\.(${rawEndings})$`, 'i');
const ofForeign = new RegExp(`\\.(${foreignEndings})$`, 'i');
const ofAny = new RegExp(`\\.(${endings}|${rawEndings}|${foreignEndings})$`, 'i');

/** @param name - a file name or path */
export const isImageName = (name: string): boolean => imageEnding.test(name);

/** Whether the name is that of an unsupported image, which is an error and not skipped silently. */
export const isForeignImageName = (name: string): boolean => ofForeign.test(name);

/** Whether the name is that of a camera's RAW file. */
export const isRawName = (name: string): boolean => ofRaw.test(name);

/** The name without its image extension. */
export const withoutImageEnding = (name: string): string => name.replace(ofAny, '');
