import fc from 'fast-check';
import { expect, test } from 'vitest';
import { groupPeople as fromBrowser } from '../../src/browser/index.ts';
import { groupPeople as fromNode } from '../../src/index.ts';
import type { LikelihoodModel } from '../../src/likelihood-ratio.ts';
import {
  type GroupedPeople,
  groupPeople,
  type LibraryFace,
  type PeopleOptions,
} from '../../src/people/group-people.ts';
import { randomStream } from '../../src/random.ts';

const thresholds = [
  { fmr: 0.01, threshold: 0.3 },
  { fmr: 0.0001, threshold: 0.5 },
];

/** A face in the plane, at an angle in degrees. Of ids a, b, c, … each is a little longer than the next. */
const at = (
  id: string,
  degrees: number,
  more: Partial<LibraryFace> & { readonly length?: number } = {},
): LibraryFace => {
  const { length = 2 - id.charCodeAt(0) / 100, ...rest } = more;
  const angle = (degrees * Math.PI) / 180;
  return { id, photo: id, embedding: Float32Array.of(length * Math.cos(angle), length * Math.sin(angle)), ...rest };
};

/** The ids of each person's faces. */
const ids = (faces: readonly LibraryFace[], { people }: GroupedPeople): string[][] =>
  people.map((person) => person.faces.map((i) => faces[i]!.id));

const grouped = (faces: readonly LibraryFace[], options: Partial<PeopleOptions> = {}): string[][] =>
  ids(faces, groupPeople(faces, { thresholds, ...options }));

test('groups similar faces, the largest group first, the best shot of each first', () => {
  const faces = [
    at('a', 90),
    at('b', 0, { length: 2 }),
    at('c', 85, { length: 3 }),
    at('d', 5),
    at('e', -5),
    at('f', 180),
  ];
  expect(grouped(faces)).toEqual([['b', 'd', 'e'], ['c', 'a'], ['f']]);
  expect(grouped([])).toEqual([]);
  expect([fromNode, fromBrowser]).toEqual([groupPeople, groupPeople]);
});

test('weighs a face by its magnitude', () => {
  const [wide, bar] = [Math.cos((36 * Math.PI) / 180), { foundingQuality: 0, wrongMerges: 0.1 }];
  const strict = { thresholds: [{ fmr: 0.01, threshold: wide }] };
  // 30° is near the long face at 0°, not near the plain mean of 0° and -29°.
  expect(grouped([at('a', 0, { length: 9 }), at('b', -29), at('c', 30)], { ...strict, ...bar })).toEqual([
    ['a', 'b', 'c'],
  ]);
  expect(grouped([at('a', 0, { length: 1.1 }), at('b', -29), at('c', 30)], { ...strict, ...bar })).toEqual([
    ['a', 'b'],
    ['c'],
  ]);
});

test('takes two faces of one photo as two people, however similar', () => {
  const faces = [at('a', 0, { photo: 'x' }), at('b', 1, { photo: 'x' }), at('c', 2), at('d', 1.5, { photo: 'y' })];
  expect(grouped(faces)).toEqual([['b', 'c', 'd'], ['a']]);
  expect(grouped(faces.map((face) => ({ ...face, photo: face.id })))).toHaveLength(1);
  const poor = [at('a', 0), at('b', 1, { photo: 'x', quality: 1 }), at('c', 2, { photo: 'x', quality: 1 })];
  expect(groupPeople(poor, { thresholds })).toMatchObject({ people: [{ faces: [0, 1] }], unplaced: [2] });
});

/** A record that says nothing of magnitudes. */
const plain: LikelihoodModel = {
  ...{ weights: [0, 1, 0, 0], covariance: [], ratios: [0.1, 10], source: 'made up' },
  magnitudes: [1, 5],
};

test('takes a face for more certain the higher its magnitude, where the record says so', () => {
  const likelihood: LikelihoodModel = { ...plain, agreement: [-3, 1] };
  const pair = (length: number) => [at('a', 0, { length: 5 }), at('b', 72, { length }), at('c', 180, { length: 5 })];
  // Two good faces of one person would be more similar than that, a poor one and a good one would not.
  const options = { likelihood, wrongMerges: 0.03 };
  expect(grouped(pair(2), options)).toEqual([['a', 'b'], ['c']]);
  expect(grouped(pair(5), options)).toHaveLength(3);
});

test('leaves out what all faces have in common', () => {
  const common = Buffer.from(Int8Array.of(0, 0, 127).buffer).toString('base64');
  const faces = [1, -1].map((sign) => ({ id: `${sign}`, photo: `${sign}`, embedding: Float32Array.of(sign, 0, 3) }));
  expect(grouped(faces, { likelihood: plain })).toHaveLength(1);
  expect(grouped(faces, { likelihood: { ...plain, common } })).toHaveLength(2);
  expect(() => grouped(faces, { likelihood: { ...plain, common: btoa('four') } })).toThrow('received 4 values');
});

test('lets three poor faces found a person', () => {
  const faces = [at('a', 0), at('b', 90, { quality: 3 }), at('c', 91, { quality: 3 }), at('d', 92, { quality: 3 })];
  expect(groupPeople(faces, { thresholds }).people.map((person) => person.faces)).toEqual([[1, 2, 3], [0]]);
});

test('lets poor faces join a person but found none', () => {
  const faces = [at('a', 0), at('b', 5, { quality: 3 }), at('c', 120, { quality: 3 }), at('d', 121, { quality: 9 })];
  expect(groupPeople(faces, { thresholds })).toMatchObject({ people: [{ faces: [0, 1] }], unplaced: [2, 3] });
  expect(grouped(faces, { foundingQuality: 3 })).toEqual([
    ['a', 'b'],
    ['c', 'd'],
  ]);
  const names = [['c', 'Cy']] as const; // a face with a name is somebody
  expect(groupPeople(faces, { thresholds, corrections: { names } }).people).toMatchObject([
    { faces: [0, 1] },
    { name: 'Cy', faces: [2, 3] },
  ]);
});

test('takes a feature of zeros as a person of its own', () => {
  expect(grouped([at('a', 0, { length: 0 }), at('b', 0), at('c', 0, { length: 0 })])).toHaveLength(3);
});

test('asks for more likeness the more people are compared, as the expected number of wrong merges says', () => {
  const faces = Array.from({ length: 40 }, (_, k) => orthogonal(`f${k}`, k, 40));
  const few = groupPeople(faces.slice(0, 5), { thresholds });
  const many = groupPeople(faces, { thresholds });
  expect(many.threshold).toBeGreaterThan(few.threshold);
  for (const found of [few, many]) {
    expect(found.expectedWrongMerges).toBeCloseTo(0.01, 6); // as before a first merge
    expect(found.fmr * found.comparisons).toBeCloseTo(found.expectedWrongMerges, 9);
  }
  expect(groupPeople(faces, { thresholds, wrongMerges: 0.1 }).threshold).toBeLessThan(many.threshold);
});

test('asks about pairs that are nearly similar enough, and doubts a face unlike the others', () => {
  const limits = [
    { fmr: 0.01, threshold: 0.3 },
    { fmr: 0.0001, threshold: 0.9 },
  ];
  const faces = [at('a', 0), at('b', 10), at('c', 70), at('d', 180)];
  const { questions, people } = groupPeople(faces, { thresholds: limits, wrongMerges: 0.001 });
  expect(people.map((person) => person.faces)).toEqual([[0, 1], [2], [3]]);
  expect(questions).toHaveLength(1);
  expect(questions[0]!.people).toEqual([0, 1]);
  const cosine = Math.cos((65 * Math.PI) / 180);
  expect(questions[0]!.similarity).toBeLessThan(cosine); // templates of several faces are more alike by chance
  expect(questions[0]!.similarity).toBeGreaterThan(0.95 * cosine);

  const joined = groupPeople([at('a', 0), at('b', 1), at('c', 2), at('e', 90)], {
    thresholds,
    corrections: {
      joined: [
        ['a', 'b'],
        ['a', 'e'],
      ],
    },
  });
  expect(joined.people).toMatchObject([{ faces: [0, 1, 2, 3], doubtful: [] }]);
});

test('keeps names and corrections, against any similarity', () => {
  const faces = [at('a', 0), at('b', 2), at('c', 4), at('d', 180), at('e', 182, { photo: 'd' })];
  expect(
    grouped(faces, {
      corrections: {
        apart: [
          ['b', 'a'],
          ['b', 'c'],
        ],
      },
    }),
  ).toEqual([['a', 'c'], ['b'], ['d'], ['e']]);
  expect(grouped(faces, { corrections: { joined: [['d', 'e']] } })[1]).toEqual(['d', 'e']); // though in one photo
  const names = [
    ['a', 'Ann'],
    ['d', 'Ann'],
    ['b', 'Bea'],
  ] as const;
  expect(groupPeople(faces, { thresholds, corrections: { names } }).people).toMatchObject([
    { name: 'Ann' },
    { name: 'Bea' },
    { faces: [4] },
  ]);
});

test('joins over faces that left the library', () => {
  const corrections = {
    joined: [
      ['a', 'gone'],
      ['gone', 'd'],
    ],
  } as const;
  expect(grouped([at('a', 0), at('d', 180)], { corrections })).toEqual([['a', 'd']]);
});

test('refuses corrections that contradict each other', () => {
  const faces = [at('a', 0)];
  const refused = (corrections: PeopleOptions['corrections']) => () => groupPeople(faces, { thresholds, corrections });
  expect(
    refused({
      joined: [
        ['a', 'b'],
        ['b', 'c'],
      ],
      apart: [['c', 'a']],
    }),
  ).toThrow('Expected faces c and a to be two people but other corrections join them');
  expect(
    refused({
      names: [
        ['a', 'Ann'],
        ['b', 'Bea'],
      ],
      joined: [['a', 'b']],
    }),
  ).toThrow('Expected Ann and Bea to be two people but a correction joins them');
});

/** Made-up faces: some people, photos of several, poor faces, equal magnitudes. */
function madeUp(seed: number): LibraryFace[] {
  const random = randomStream(seed);
  const centres = Array.from({ length: 5 }, () => Array.from({ length: 8 }, () => random() - 0.5));
  return Array.from({ length: 24 }, (_, k) => {
    const centre = centres[Math.floor(random() * 5)]!;
    const embedding = Float32Array.from(centre, (value) => Math.fround(value + 0.5 * (random() - 0.5)));
    const photo = `p${Math.floor(random() * 14)}`;
    return { id: `f${k}`, photo, embedding, quality: Math.floor(random() * 80) };
  });
}

const [seeds, shuffles] = [fc.integer({ min: 0, max: 1e6 }), fc.integer({ min: 0, max: 1e6 })];

test('gives the same people in whatever order faces and corrections come', () => {
  fc.assert(
    fc.property(seeds, shuffles, (seed, order) => {
      const faces = madeUp(seed);
      const corrections = {
        names: [
          ['f0', 'Ann'],
          ['f1', 'Bea'],
        ] as const,
        joined: [
          ['f2', 'f3'],
          ['f3', 'f4'],
        ] as const,
        apart: [
          ['f5', 'f6'],
          ['f7', 'f0'],
        ] as const,
      };
      const swapped = {
        names: corrections.names.toReversed(),
        joined: corrections.joined.toReversed().map(([a, b]) => [b, a] as const),
        apart: corrections.apart.toReversed().map(([a, b]) => [b, a] as const),
      };
      const shuffled = shuffle(faces, order);
      const [one, other] = [
        groupPeople(faces, { thresholds, corrections }),
        groupPeople(shuffled, { thresholds, corrections: swapped }),
      ];
      expect(ids(shuffled, other)).toEqual(ids(faces, one));
      expect(other.unplaced.map((i) => shuffled[i]!.id)).toEqual(one.unplaced.map((i) => faces[i]!.id));
      expect(other.questions).toEqual(one.questions);
    }),
    { numRuns: 50 },
  );
});

test('places every face once, honours photos and corrections', () => {
  fc.assert(
    fc.property(seeds, fc.array(fc.tuple(fc.nat(23), fc.nat(23)), { maxLength: 6 }), (seed, pairs) => {
      const faces = madeUp(seed);
      const apart = pairs.filter(([a, b]) => a !== b).map(([a, b]) => [`f${a}`, `f${b}`] as const);
      const { people, unplaced } = groupPeople(faces, { thresholds, corrections: { apart } });
      expect([...people.flatMap((person) => person.faces), ...unplaced].sort((a, b) => a - b)).toEqual([
        ...faces.keys(),
      ]);
      for (const person of people) {
        const photos = person.faces.map((i) => faces[i]!.photo);
        expect(new Set(photos).size).toBe(photos.length);
        for (const [a, b] of apart) {
          const inside = person.faces.map((i) => faces[i]!.id);
          expect(inside.includes(a) && inside.includes(b)).toBe(false);
        }
        expect(person.faces.length >= 3 || person.faces.some((i) => faces[i]!.quality! >= 20)).toBe(true);
      }
    }),
    { numRuns: 50 },
  );
});

function shuffle<T>(all: readonly T[], seed: number): T[] {
  const random = randomStream(seed);
  return all
    .map((one) => ({ one, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ one }) => one);
}

function orthogonal(id: string, axis: number, dimension: number): LibraryFace {
  const embedding = new Float32Array(dimension);
  embedding[axis] = 1;
  return { id, photo: id, embedding };
}
