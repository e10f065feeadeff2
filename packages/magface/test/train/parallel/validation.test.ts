import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readValidationSet, validate } from '../../../src/train/loop/validate.ts';
import { describeTraining } from '../golden.ts';
import { smallSet } from '../small-set.ts';
import { runRanks } from './run-ranks.ts';
import { slowModel } from './validation-ranks.ts';

describeTraining('validation by ranks', () => {
  const images = smallSet(5, 7, 'person-');
  const list = join(images, 'pairs.list');
  const pairs = Array.from({ length: 40 }, (_, i) => {
    const [a, b] = [i % 5, i % 2 === 0 ? i % 5 : (i + 1) % 5];
    return `person-${a}/${i % 6}.jpg person-${b}/6.jpg ${a === b ? 1 : 0}`;
  });
  writeFileSync(list, pairs.join('\n'));

  test('may take longer than the collective timeout, and gives every rank the row of one process', async () => {
    const set = await readValidationSet(list, { root: images });
    expect(set.images).toHaveLength(35); // in batches of 2 the last has 3 of 4 places
    const row = await validate(slowModel(0), set, 1, 2);
    const printed = await runRanks(new URL('validation-ranks.ts', import.meta.url), 2, [list, images]);
    for (const text of printed) {
      expect(JSON.parse(text)).toEqual({ row: JSON.parse(JSON.stringify(row)), mean: 5, moving: Array(6).fill(7) });
    }
  });
});
