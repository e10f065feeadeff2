/** Networks by name and by file; the file is the example of the documentation, which other tests of training use as well. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { architectureNames, openArchitecture } from '../../../src/graph/networks/architectures.ts';
import { parseTrainConfig } from '../../../src/train/settings/config.ts';
import { smallNetwork } from '../../train/face-set.ts';
import { temporaryFolder } from '../../train/small-set.ts';

test('a network of one’s own comes from its file, with the length that was asked for', async () => {
  const { name, embeddingLength, tensors } = await openArchitecture(smallNetwork, 48);
  expect({ name, embeddingLength }).toEqual({ name: 'own-network', embeddingLength: 48 });
  expect(tensors.find((one) => one.name === 'linear.weight')?.shape).toEqual([48, 64]);
});

test('an unknown name, a file that is not there and one that describes nothing are told apart', async () => {
  await expect(openArchitecture('resnet50')).rejects.toThrow(
    `Expected arch to be one of ${architectureNames.join(', ')} but received resnet50: give the file of a network of your own, as --arch ./net.mjs.`,
  );
  await expect(openArchitecture('./gone.mjs')).rejects.toMatchObject({ code: 'wrong_configuration', key: 'arch' });
  const folder = temporaryFolder();
  const fileWith = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  await expect(openArchitecture(fileWith('empty.mjs', ''))).rejects.toThrow('but it exports none');
  await expect(openArchitecture(fileWith('nothing.mjs', 'export default () => ({ name: "x" })'))).rejects.toThrow(
    'but what it gives has no nodes',
  );
});

test('the settings of a run take a name or the file', () => {
  const given = { trainList: 'faces', output: 'run' };
  expect(parseTrainConfig({ ...given, arch: './net.mjs' }).arch).toBe('./net.mjs');
  expect(() => parseTrainConfig({ ...given, arch: 'resnet50' })).toThrow('resnet50');
});
