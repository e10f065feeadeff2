/**
 * Trains the network that tells covered eyes, mouths and brows, and writes it into the sources:
 *
 *     npm run model:covers -- [FACES]
 *
 * FACES (default ../shared/faces) holds LFW and CelebA with their training lists and `cfp-dev`, of which people 1 to 50 are used.
 * Covers are painted. Faces whose own eyes, mouth or brow the first network finds covered are left out, and the second network
 * is kept. Does not depend on the recogniser. A second run gives the same file. Takes three minutes on one core.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { researchFolder } from '../bench/support/data.ts';
import { coverBrow, coverEyes, coverMouth, coverNothing } from '../bench/support/paint-covers.ts';
import { photoFaces } from '../bench/support/reference-faces.ts';
import {
  blocksOutside,
  type CoverNetwork,
  coverInput,
  grid,
  parts,
  runCovers,
} from '../packages/magface/src/covered-parts.ts';
import { lumaOf } from '../packages/magface/src/crop-luma.ts';
import { MagFace } from '../packages/magface/src/infer/node/magface.ts';
import { readAligned } from '../packages/magface/src/infer/node/read-image.ts';
import type { Pixels } from '../packages/magface/src/pixels.ts';
import { randomStream } from '../packages/magface/src/random.ts';
import { type Example, trainCovers } from './covered-parts/train.ts';
import { photoEnd, vary } from './covered-parts/vary.ts';

const faces = resolve(process.argv[2] ?? join(researchFolder('faces/lfw', 'faces/celeba', 'faces/cfp-dev'), 'faces'));
const target = fileURLToPath(new URL('../packages/magface/src/covered-parts.gen.ts', import.meta.url));
/** Of the faces of LFW and CelebA, one in so many is used. */
const every = 3;
/** Examples and passes over them: the first network only cleans. */
const rounds = { clean: { count: 6000, epochs: 10 }, keep: { count: 20_000, epochs: 12 } } as const;

interface Round {
  readonly count: number;
  readonly epochs: number;
}

interface Source {
  readonly crop: Pixels;
  readonly outside: boolean[] | undefined;
}

/** Every third face of LFW's and CelebA's training lists, and the first 50 people of CFP. */
async function sources(): Promise<Source[]> {
  const found: Source[] = [];
  for (const set of ['lfw', 'celeba']) {
    const lines = readFileSync(join(faces, set, 'train.list'), 'utf8')
      .trim()
      .split('\n');
    for (const line of lines.filter((_, i) => i % every === 0))
      found.push({ crop: await readAligned(join(faces, set, line.split(' ')[0]!)), outside: undefined });
  }
  await using magface = await MagFace.load({ threads: 1 });
  for (const { face, image } of await photoFaces(magface, join(faces, 'cfp-dev')))
    found.push({ crop: face.crop, outside: blocksOutside(face.alignment, image) });
  return found;
}

/** The grid lies symmetrically in the crop. */
const mirrored = (outside: readonly boolean[]): boolean[] =>
  outside.map((_, at) => outside[at - (at % grid.across) + grid.across - 1 - (at % grid.across)]!);

function example(all: readonly Source[], pool: readonly Pixels[], random: () => number): Example {
  const { crop, outside } = all[Math.floor(all.length * random())]!;
  const covered = [0, 0, 0];
  let face = crop;
  const [kind, second] = [random(), random()];
  if (kind < 0.2) [face, covered[0]] = [coverEyes(face, random, pool), 1];
  else if (kind < 0.35) [face, covered[1]] = [coverMouth(face, random, pool), 1];
  else if (kind < 0.48) [face, covered[2]] = [coverBrow(face, random, pool), 1];
  else if (kind < 0.56) face = coverNothing(face, random, pool);
  if (kind < 0.48 && second < 0.12) [face, covered[1]] = [coverMouth(face, random, pool), 1];
  const varied = vary(lumaOf(face), random);
  const end = outside === undefined ? photoEnd(random, grid) : varied.isMirrored ? mirrored(outside) : outside;
  return { input: coverInput(varied.face, end), covered };
}

const all = await sources();
const pool = all.map(({ crop }) => crop);
const train = (from: readonly Source[], seed: number, { count, epochs }: Round): CoverNetwork => {
  const random = randomStream(seed);
  const examples = Array.from({ length: count }, () => example(from, pool, random));
  process.stderr.write(`${examples.length} examples of ${from.length} faces\n`);
  return trainCovers(examples, { epochs, seed });
};
const first = train(all, 1, rounds.clean);
const isBare = ({ crop, outside }: Source): boolean =>
  runCovers(first, coverInput(lumaOf(crop), outside)).every((logit) => logit < 0.4);
const network = train(all.filter(isBare), 2, rounds.keep);

const scales = Array.from(network.biases, (_, unit) => {
  const row = network.hidden.subarray(unit * grid.across * grid.down, (unit + 1) * grid.across * grid.down);
  return row.reduce((most, value) => Math.max(most, Math.abs(value)), 0) / 127;
});
const bytes = Int8Array.from(network.hidden, (value, i) =>
  Math.round(value / scales[Math.floor(i / (grid.across * grid.down))]!),
);
const short = (values: Iterable<number>): string => [...values].map((value) => Number(value.toPrecision(6))).join(', ');
writeFileSync(
  target,
  `/** Generated by scripts/covered-parts.ts, for ${parts.join(', ')}: do not edit. */
export const coveredPartsWeights: {
  readonly scales: readonly number[];
  readonly biases: readonly number[];
  readonly outputs: readonly number[];
  readonly outputBiases: readonly number[];
  readonly hidden: string;
} = {
  scales: [${short(scales)}],
  biases: [${short(network.biases)}],
  outputs: [${short(network.outputs)}],
  outputBiases: [${short(network.outputBiases)}],
  hidden:
    '${Buffer.from(bytes.buffer).toString('base64')}',
};
`,
);
process.stderr.write(`Wrote ${target}.\n`);
