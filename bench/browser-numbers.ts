/**
 * Compares Node and Chromium on the sample photos with the included model: differences of landmarks, crops, magnitudes and
 * embeddings from the same photo, and of magnitudes and embeddings from the same crop. WebGPU runs on SwiftShader, on the
 * CPU: its numbers are valid, but it is too slow for more than one photo and says nothing about speed.
 *
 *     npx tsx -C magface:source bench/browser-numbers.ts [wasm | webgpu]
 */
/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
import { readFile } from 'node:fs/promises';
import { type AnalyzedFace, compare, MagFace } from 'magface';
import { modelFolder } from '../packages/magface/src/models/model-folder.ts';
import { openChromium } from '../packages/magface/test/support/chromium.ts';
import type { FileServer } from '../packages/magface/test/support/file-server.ts';
import { samplePhoto } from '../packages/magface/test/support/sample-photos.ts';
import { serveHarness } from '../packages/magface/test/support/serve-harness.ts';
import { writeResult } from './support/result.ts';

const device: 'wasm' | 'webgpu' = process.argv[2] === 'webgpu' ? 'webgpu' : 'wasm';
const photos = device === 'webgpu' ? ([1] as const) : ([1, 2, 3, 4, 5, 6] as const);
const options = { minFace: device === 'webgpu' ? 160 : 80 };

/** A face as returned from a page: plain arrays instead of typed ones. */
interface SentFace {
  readonly landmarks: AnalyzedFace['landmarks'];
  readonly magnitude: number;
  readonly embedding: readonly number[];
  readonly crop: readonly number[];
}

/** A page's results for crops made by Node. */
type SentNumbers = Pick<SentFace, 'magnitude' | 'embedding'>;

interface Distances {
  readonly faces: number;
  readonly landmarkPixels: number;
  readonly cropValuesThatDiffer: number;
  readonly magnitudeRelative: number;
  readonly embeddingCosine: number;
}

await using node = await MagFace.load({ threads: 1 });
const expected: AnalyzedFace[] = [];
for (const photo of photos) expected.push(...(await node.analyze(samplePhoto(photo), options)));

const files = new Map<string, Uint8Array>();
for (const [name, bytes] of modelFolder([node.model, node.detector!, node.aligner!]))
  files.set(`models/${name}`, bytes);
for (const photo of photos) files.set(`${photo}.jpg`, await readFile(samplePhoto(photo)));
const server = await serveHarness(files);
try {
  const faces = await seen(server);
  const { id, digest } = node.model;
  const figures = { ...distances(faces.ofPhotos), fromTheSameCrop: numberDistances(faces.ofCrops) };
  writeResult(`browser-numbers-${device}`, { model: id, digest, photos: photos.length, ...options, ...figures });
} finally {
  await server.close();
}

async function seen({ address }: FileServer): Promise<{ ofPhotos: SentFace[]; ofCrops: SentNumbers[] }> {
  const gpu = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
  const browser = await openChromium({ args: device === 'webgpu' ? gpu : [] });
  try {
    const page = await browser.newPage();
    await page.goto(address);
    return await page.evaluate(
      async ({ device, names, options, crops }) => {
        const { library } = globalThis as unknown as { library: typeof import('magface/browser') };
        const magface = await library.MagFace.load({ device, threads: 1 });
        const ofPhotos: SentFace[] = [];
        for (const name of names) {
          for (const face of await magface.analyze(await (await fetch(name)).blob(), options)) {
            const { landmarks, magnitude, embedding, crop } = face;
            ofPhotos.push({ landmarks, magnitude, embedding: [...embedding], crop: [...crop.data] });
          }
        }
        const ofCrops: SentNumbers[] = [];
        for (const crop of crops) {
          const image = new ImageData(Uint8ClampedArray.from(crop), 112, 112);
          const [face] = await magface.analyze(image, { aligned: true });
          ofCrops.push({ magnitude: face!.magnitude, embedding: [...face!.embedding] });
        }
        return { ofPhotos, ofCrops };
      },
      { device, names: photos.map((photo) => `${photo}.jpg`), options, crops: expected.map(({ crop }) => rgba(crop)) },
    );
  } finally {
    await browser.close();
  }
}

/** RGBA, as ImageData needs it. */
function rgba({ data, width, height }: AnalyzedFace['crop']): number[] {
  return Array.from({ length: 4 * width * height }, (_, i) => (i % 4 === 3 ? 255 : data[3 * (i >> 2) + (i % 4)]!));
}

/** Largest difference of all faces, relative to the magnitude. */
function numberDistances(faces: readonly SentNumbers[]): { magnitude: number; embedding: number } {
  const largest = (measure: (there: SentNumbers, here: AnalyzedFace) => number): number =>
    Math.max(...faces.map((there, i) => measure(there, expected[i]!) / expected[i]!.magnitude));
  return {
    magnitude: largest((there, here) => Math.abs(there.magnitude - here.magnitude)),
    embedding: largest((there, here) => Math.max(...there.embedding.map((v, k) => Math.abs(v - here.embedding[k]!)))),
  };
}

/** Largest difference of all faces, and the lowest cosine. */
function distances(faces: readonly SentFace[]): Distances {
  const pairs = faces.map((face, i) => [face, expected[i]!] as const);
  const largest = (measure: (there: SentFace, here: AnalyzedFace) => number): number =>
    Math.max(...pairs.map(([there, here]) => measure(there, here)));
  return {
    faces: faces.length,
    landmarkPixels: largest((there, here) =>
      Math.max(...here.landmarks.flatMap((point, i) => point.map((v, k) => Math.abs(v - there.landmarks[i]![k]!)))),
    ),
    cropValuesThatDiffer: largest((there, here) => there.crop.filter((value, i) => value !== here.crop.data[i]).length),
    magnitudeRelative: largest((there, here) => Math.abs(there.magnitude / here.magnitude - 1)),
    embeddingCosine: -largest((there, here) => -compare(Float32Array.from(there.embedding), here.embedding)),
  };
}
