import { expect, test } from 'vitest';
import type { StoredPerson } from '../../src/gallery/gallery-types.ts';
import { openSetThreshold } from '../../src/gallery/open-set.ts';
import { randomStream } from '../../src/random.ts';
import { openSetRule } from '../../src/serve/open-set-rule.ts';

const random = randomStream(11);
const people = Array.from({ length: 24 }, (_, k): StoredPerson => {
  const embedding = Float32Array.from({ length: 16 }, () => random() - 0.5);
  const dates = { added: '2026-01-01T00:00:00Z', expires: null };
  return {
    person: `p${k}`,
    consent: null,
    faces: [{ face: k, image: null, quality: 50, magnitude: 1, embedding, ...dates }],
  };
});

test('reads the gallery once for all rates, and again after changes', async () => {
  let reads = 0;
  const gallery = {
    changes: 0,
    everybody: async function* () {
      reads++;
      yield* people;
    },
  };
  const at = openSetRule(gallery, undefined);
  const [loose, strict] = [await at(0.1), await at(0.02)];
  expect(reads).toBe(1);
  expect(loose).toEqual(await openSetThreshold(people, undefined, 0.1));
  expect(strict!.threshold).toBeGreaterThan(loose!.threshold);
  gallery.changes++;
  await at(0.1);
  expect(reads).toBe(2);
  await expect(at(2)).rejects.toThrow('a rate between 0 and 1');
});

test('knows nothing of an empty gallery, and tries again after a failure', async () => {
  let fails = true;
  const gallery = {
    changes: 0,
    // biome-ignore lint/correctness/useYield: nobody is in it
    everybody: async function* (): AsyncGenerator<StoredPerson> {
      if (fails) throw new Error('no connection');
    },
  };
  const at = openSetRule(gallery, undefined);
  await expect(at(0.1)).rejects.toThrow('no connection');
  fails = false;
  expect(await at(0.1)).toBeUndefined();
});
