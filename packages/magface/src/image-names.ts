/** Which files are images, by their names: the one list for folders, shards and lists, and the words for it. */

/** The kinds that are read here, as sentences name them. */
export const imageKinds = 'JPEG, PNG, WebP, AVIF, TIFF or GIF';

/** HEIC is among them so that a folder of a phone's photos is told by name what is wrong with it. */
const endings = 'jpe?g|png|webp|avif|hei[cf]|tiff?|gif';
/** Images too, that nothing here decodes; `.img` is what images of an unknown kind were called once. */
const foreignEndings = 'bmp|img';

const ofImage = new RegExp(`\\.(${endings})$`, 'i');
const ofForeign = new RegExp(`\\.(${foreignEndings})$`, 'i');
const ofAny = new RegExp(`\\.(${endings}|${foreignEndings})$`, 'i');

/** @param name - a file's, or a path */
export const isImageName = (name: string): boolean => ofImage.test(name);

/** Whether it is called an image of a kind that cannot be read: to be refused by name, not passed over. */
export const isForeignImageName = (name: string): boolean => ofForeign.test(name);

/** The same name whatever the image's kind. */
export const withoutImageEnding = (name: string): string => name.replace(ofAny, '');
