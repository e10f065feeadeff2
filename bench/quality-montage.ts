/**
 * Draws 60 mixed faces in rising quality, for people to look at: `npx tsx -C magface:source bench/quality-montage.ts PICTURE.png`
 *
 * Faces are of CFP's people 51 to 100: 24 frontal, 18 in profile, 18 frontal and damaged. Below each are its quality, its
 * recognisability (mean cosine to the person's other frontal photos, in per cent) and its first reason. Names the five pairs whose
 * order by quality contradicts that by recognisability most, in bench/results/quality-montage.json. The picture shows research
 * data: keep it out of the repository. Needs ../shared/faces/cfp-dev. Takes three minutes on one core.
 */
import { join, relative, resolve } from 'node:path';
import sharp from 'sharp';
import type { AnalyzedFace } from '../packages/magface/src/face.ts';
import { MagFace } from '../packages/magface/src/infer/node/magface.ts';
import { readImage } from '../packages/magface/src/infer/node/read-image.ts';
import { compare } from '../packages/magface/src/similarity.ts';
import { researchFolder } from './support/data.ts';
import { damageNames, damagePhoto } from './support/photo-damage.ts';
import { photosOf, type ReferencePhoto } from './support/reference-faces.ts';
import { writeResult } from './support/result.ts';

const output = process.argv[2];
if (output === undefined) throw new Error('Expected the path of the picture to write, outside the repository.');
const folder = join(researchFolder('faces/cfp-dev'), 'faces/cfp-dev');
const photos = photosOf(
  folder,
  Array.from({ length: 50 }, (_, i) => i + 51),
);
await using magface = await MagFace.load({ threads: 1 });

interface Shown {
  readonly name: string;
  readonly quality: number;
  readonly recognisability: number;
  readonly reason: string;
  readonly face: AnalyzedFace;
}

const frontal = photos.filter(({ kind }) => kind === 'frontal');
const faces = new Map<ReferencePhoto, AnalyzedFace>();
for await (const { index, faces: found, error } of magface.stream(frontal.map(({ path }) => path))) {
  if (error !== undefined) throw error;
  if (found[0] !== undefined) faces.set(frontal[index]!, found[0]);
}

function shown(photo: ReferencePhoto, face: AnalyzedFace, damage = ''): Shown {
  const others = [...faces].filter(([other]) => other.person === photo.person && other.path !== photo.path);
  const cosines = others.map(([, other]) => compare(face.embedding, other.embedding));
  return {
    name: `${relative(folder, photo.path)}${damage && ` ${damage}`}`,
    quality: face.quality!,
    recognisability: cosines.reduce((sum, cosine) => sum + cosine, 0) / cosines.length,
    reason: face.reasons[0]?.code.replaceAll('_', ' ') ?? '',
    face,
  };
}

/** Evenly spaced over all. */
const evenly = <T>(all: readonly T[], count: number): T[] =>
  Array.from({ length: count }, (_, k) => all[Math.floor(((k + 0.5) * all.length) / count)]!);

const all: Shown[] = evenly([...faces], 24).map(([photo, face]) => shown(photo, face));
for (const photo of evenly(
  photos.filter(({ kind }) => kind === 'profile'),
  18,
)) {
  const [face] = await magface.analyze(photo.path);
  if (face !== undefined) all.push(shown(photo, face));
}
for (const [k, [photo, place]] of evenly([...faces].slice(7), 18).entries()) {
  const number = k + damageNames.length * k; // each kind twice, with different strengths
  const [face] = await magface.analyze(damagePhoto(await readImage(photo.path), place, number));
  if (face !== undefined) all.push(shown(photo, face, damageNames[number % damageNames.length]));
}
all.sort((a, b) => a.quality - b.quality);

const columns = 12;
const [width, height] = [118, 156] as const;
const parts = await Promise.all(
  all.map(async ({ face, quality, recognisability, reason }, i) => {
    const [left, top] = [(i % columns) * width, Math.floor(i / columns) * height];
    const crop = sharp(face.crop.data, { raw: { width: 112, height: 112, channels: 3 } });
    const lines = [`${i + 1}: Q ${quality.toFixed(1)}, ${Math.round(100 * recognisability)} %`, reason];
    const text = lines.map(
      (line, row) => `<text x="1" y="${12 + 13 * row}" font-size="11" font-family="sans-serif">${line}</text>`,
    );
    const words = Buffer.from(`<svg width="${width}" height="40">${text.join('')}</svg>`);
    return [
      { input: await crop.png().toBuffer(), left, top },
      { input: words, left, top: top + 113 },
    ];
  }),
);
const size = { width: columns * width, height: Math.ceil(all.length / columns) * height };
await sharp({ create: { ...size, channels: 3, background: '#fff' } })
  .composite(parts.flat())
  .png()
  .toFile(resolve(output));

/** Pairs in the wrong order, the worst first, each face in one pair only. */
function worstOrders(count: number) {
  const byRecognisability = [...all.keys()].sort((a, b) => all[a]!.recognisability - all[b]!.recognisability);
  const rank = new Map(byRecognisability.map((at, place) => [at, place]));
  const pairs = [...all.keys()].flatMap((low) =>
    [...all.keys()].slice(low + 1).map((high) => ({ low, high, wrong: high - low + rank.get(low)! - rank.get(high)! })),
  );
  const used = new Set<number>();
  return pairs
    .filter(({ low, high }) => rank.get(low)! > rank.get(high)!)
    .sort((a, b) => b.wrong - a.wrong)
    .filter(({ low, high }) => {
      if (used.has(low) || used.has(high)) return false;
      used.add(low).add(high);
      return true;
    })
    .slice(0, count)
    .map(({ low, high }) => ({ tooLow: named(low), tooHigh: named(high) }));
}

function named(at: number) {
  const { name, quality, recognisability, reason } = all[at]!;
  return {
    place: at + 1,
    name,
    quality: Number(quality.toFixed(1)),
    recognisability: Number(recognisability.toFixed(3)),
    reason,
  };
}

writeResult('quality-montage', {
  faces: all.length,
  worstOrders: worstOrders(5),
  inRisingQuality: [...all.keys()].map(named),
});
