import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError, ImageError } from '../../../src/errors.ts';
import { readValidationSet } from '../../../src/train/loop/validate.ts';
import { jpeg, temporaryFolder } from '../small-set.ts';

/** A list of one pair, and a folder of images. */
function setOf(left: string, right: string): { readonly list: string; readonly images: string } {
  const [folder, images] = [temporaryFolder(), temporaryFolder()];
  const list = join(folder, 'pairs.txt');
  writeFileSync(list, `${left} ${right} 1\n`);
  return { list, images };
}

const write = (path: string, content: Buffer | string): void => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
};

test('names are relative to --eval-root if given, else to the current folder or the list', async () => {
  const { list, images } = setOf('a.jpg', 'b.jpg');
  for (const name of ['a.jpg', 'b.jpg']) write(join(dirname(list), name), jpeg(name));
  expect((await readValidationSet(list)).images).toEqual(['a.jpg', 'b.jpg'].map((name) => join(dirname(list), name)));
  await expect(readValidationSet(list, { root: images })).rejects.toThrow(ConfigError);
  await expect(readValidationSet(list, { root: images })).rejects.toThrow(/with --eval-root/);
  for (const name of ['a.jpg', 'b.jpg']) write(join(images, name), jpeg(name));
  expect((await readValidationSet(list, { root: images })).images[0]).toBe(join(images, 'a.jpg'));
});

test('absolute names are used as they are, also mixed with others', async () => {
  const elsewhere = join(temporaryFolder().replace(/ /g, '_'), 'a.jpg'); // names in this list have no spaces
  write(elsewhere, jpeg('a'));
  const { list, images } = setOf(elsewhere, 'b.jpg');
  write(join(images, 'b.jpg'), jpeg('b'));
  expect((await readValidationSet(list, { root: images })).images).toEqual([elsewhere, join(images, 'b.jpg')]);
});

test.each([
  ['image_missing', undefined],
  ['image_unreadable', 'no image'],
  ['image_wrong_size', jpeg('large', 120)],
] as const)('%s is reported before the first step, with the name of the file', async (code, content) => {
  const { list, images } = setOf('a.jpg', 'sub/b.jpg');
  write(join(images, 'a.jpg'), jpeg('a'));
  if (content !== undefined) write(join(images, 'sub/b.jpg'), content);
  const error = await readValidationSet(list, { root: images }).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ImageError);
  expect(error).toMatchObject({ code, image: join(images, 'sub/b.jpg') });
  expect((error as ImageError).message).toContain(join(images, 'sub/b.jpg'));
});

test('a list of labels alone is rejected', async () => {
  const list = join(temporaryFolder(), 'pairs.txt');
  writeFileSync(list, '1\n0\n');
  await expect(readValidationSet(list)).rejects.toThrow(/with image names/);
});
