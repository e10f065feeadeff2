/** Faces of CFP's first 100 people, found and cut by this package, also a few pixels beside their place. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AffineMatrix } from '../../packages/magface/src/face.ts';
import { MagFace } from '../../packages/magface/src/infer/node/magface.ts';
import { readImage } from '../../packages/magface/src/infer/node/read-image.ts';
import { cutFace, sceneOf } from '../../packages/magface/src/infer/scene.ts';
import type { Pixels } from '../../packages/magface/src/pixels.ts';

export interface CfpFace {
  /** `001/frontal/01` */
  readonly name: string;
  readonly person: string;
  /** `frontal` or `profile`. */
  readonly kind: string;
  /** (112, 112, 3) uint8 RGB */
  readonly face: Pixels;
  /** @param name - one of {@link kindsOfMove} */
  readonly moved: (name: string) => Pixels;
}

const moves: Readonly<Record<string, readonly [x: number, y: number]>> = {
  right1: [1, 0],
  up2: [0, -2],
  left2down2: [-2, 2],
  right3up1: [3, -1],
  down3: [0, 3],
};

export const kindsOfMove: readonly string[] = Object.keys(moves);

const people = Array.from({ length: 100 }, (_, i) => `${i + 1}`.padStart(3, '0'));
const counts = { frontal: 10, profile: 4 };

/** CFP's people who are also in the training lists, by the start's mean features (cosine 0.53 or more; others have 0.49 or less). */
export const alsoTrained: readonly string[] = ['063', '078', '086', '090'];
export const firstTestPerson = 51;
/** People of neither training nor choosing: choices are made on people 1 to 50. */
export const testPeople: readonly string[] = people.filter(
  (person) => Number(person) >= firstTestPerson && !alsoTrained.includes(person),
);

export const cfpNames: readonly string[] = people.flatMap((person) =>
  Object.entries(counts).flatMap(([kind, count]) =>
    Array.from({ length: count }, (_, i) => `${person}/${kind}/${`${i + 1}`.padStart(2, '0')}`),
  ),
);

const side = 112;
const bytes = side * side * 3;

/**
 * The largest face of each image, with its moves, as raw pixels kept in a folder.
 *
 * @param folder - with `001/frontal/01.jpg` and so on
 * @throws {Error} naming an image without a face
 */
export async function cfpCrops(folder: string, kept: string): Promise<CfpFace[]> {
  mkdirSync(kept, { recursive: true });
  const file = join(kept, 'cfp.rgb');
  if (!existsSync(file)) writeFileSync(file, await cutAll(folder));
  const all = new Uint8Array(readFileSync(file));
  const perFace = bytes * (1 + kindsOfMove.length);
  return cfpNames.map((name, i) => {
    const [person, kind] = name.split('/') as [string, string];
    const view = (at: number): Pixels => {
      const from = i * perFace + at * bytes;
      return { data: all.subarray(from, from + bytes), width: side, height: side };
    };
    return { name, person, kind, face: view(0), moved: (move) => view(1 + kindsOfMove.indexOf(move)) };
  });
}

async function cutAll(folder: string): Promise<Uint8Array> {
  await using magface = await MagFace.load({ workers: 1, threads: 1 });
  const parts: Uint8Array[] = [];
  for (const name of cfpNames) {
    const image = await readImage(join(folder, `${name}.jpg`));
    const [face] = await magface.analyze(image);
    if (face === undefined) throw new Error(`Expected a face in ${name} but found none.`);
    const scene = sceneOf(image);
    parts.push(Uint8Array.from(cutFace(scene, face.alignment).data));
    for (const [x, y] of Object.values(moves))
      parts.push(Uint8Array.from(cutFace(scene, beside(face.alignment, x, y)).data));
  }
  return Buffer.concat(parts);
}

/** The crop shows the face moved by so many of its pixels. */
function beside([[a, b, c], [d, e, f]]: AffineMatrix, x: number, y: number): AffineMatrix {
  return [
    [a, b, c + x],
    [d, e, f + y],
  ];
}
