/** What the search in bytes lets through always holds the best, by comparison with everybody in full. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TemplateScan } from '../../src/gallery/template-scan.ts';
import { randomStream } from '../../src/random.ts';

const cosine = (a: Float32Array, b: Float32Array): number => {
  const dot = (x: Float32Array, y: Float32Array): number => x.reduce((sum, value, d) => sum + value * y[d]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
};

/** Names of the `limit` most alike, and of whoever is as alike as the last of them to six digits. */
function best(templates: ReadonlyMap<string, Float32Array>, query: Float32Array, limit: number): string[] {
  const all = [...templates].map(([person, template]) => [person, cosine(template, query)] as const);
  all.sort((a, b) => b[1] - a[1]);
  const least = all[Math.min(limit, all.length) - 1]?.[1] ?? 1;
  return all.filter(([, similarity]) => similarity > least + 1e-6).map(([person]) => person);
}

const dimension = 9;
const value = fc.oneof(fc.constantFrom(0, 1, -1, 1e-3), fc.double({ min: -1, max: 1, noNaN: true }));
const vector = fc
  .tuple(fc.array(value, { minLength: dimension, maxLength: dimension }), fc.constantFrom(1e-6, 1, 30))
  .map(([values, length]) => Float32Array.from(values, (v) => v * length));
const directed = vector.filter((v) => v.some((x) => Math.abs(x) > 1e-9));
/** People come, are seen again and go. */
const change = fc.record({ person: fc.nat(60).map((n) => `p${n}`), template: fc.option(vector, { freq: 4 }) });

test('never misses the best, whatever was added and deleted', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { maxLength: 150 }),
      directed,
      fc.integer({ min: 1, max: 8 }),
      async (changes, query, limit) => {
        await using scan = await TemplateScan.open(dimension);
        const templates = new Map<string, Float32Array>();
        for (const { person, template } of changes) {
          if (template === null) await scan.delete(person);
          else await scan.set(person, template);
          if (template?.some((v) => v !== 0)) templates.set(person, template);
          else templates.delete(person);
        }
        const candidates = await scan.candidates(query, limit);
        expect(new Set(candidates).size).toBe(candidates.length);
        expect(candidates.length).toBeGreaterThanOrEqual(Math.min(limit, templates.size));
        for (const person of candidates) expect(templates.has(person)).toBe(true);
        expect(candidates).toEqual(expect.arrayContaining(best(templates, query, limit)));
      },
    ),
    { numRuns: 60 },
  );
});

test('passes few of ten thousand strangers', async () => {
  await using scan = await TemplateScan.open(64);
  const random = randomStream(1);
  const strangers = Array.from({ length: 10_000 }, () => Float32Array.from({ length: 64 }, () => random() - 0.5));
  for (const [i, template] of strangers.entries()) await scan.set(`p${i}`, template);
  const query = strangers[77]!;
  expect(await scan.candidates(query, 1)).toEqual(['p77']);
  expect((await scan.candidates(query, 5)).length).toBeLessThan(100);
});
