import { expect, test } from 'vitest';
import { isForeignImageName, isImageName, isRawName, withoutImageEnding } from '../src/image-names.ts';

test('recognises images by their extensions, in upper and lower case', () => {
  const names = ['a.jpg', 'a.JPEG', 'b/c.png', 'a.webp', 'a.avif', 'a.heic', 'a.heif', 'a.tif', 'a.tiff', 'a.gif'];
  expect(names.filter((name) => !isImageName(name))).toEqual([]);
  expect(['a.mpo', 'a.DNG', 'a.cr2'].filter((name) => !isImageName(name))).toEqual([]);
  expect(['a.jpg', 'a.NEF', 'a.raf', 'a.cr3'].filter(isRawName)).toEqual(['a.NEF', 'a.raf']);
  expect(['a.txt', 'jpg', 'a.jpg.part', 'a.bmp'].filter(isImageName)).toEqual([]);
  expect(['a.BMP', 'a.img', 'a.png'].filter(isForeignImageName)).toEqual(['a.BMP', 'a.img']);
});

test('removes any extension from a name', () => {
  expect(['a/b.c.jpg', 'a.BMP', 'a.txt'].map(withoutImageEnding)).toEqual(['a/b.c', 'a', 'a.txt']);
});
