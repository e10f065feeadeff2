/**
 * Prepares the research faces for the benchmarks, which are not in the project and which no script can download:
 *
 *     npm run data                              lists the source, the terms and the presence of each set
 *     npm run data -- lfw|celeba|cfp FOLDER     checks, aligns and arranges a set that you downloaded and unpacked
 *
 * Writes sets to `../shared/faces`, or to the folder that MAGFACE_DATA names. An interrupted run resumes.
 */
import { existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { dataFolder } from '../bench/support/data.ts';
import { researchSets } from '../bench/support/research-sets.ts';
import { createDetector } from '../packages/magface/src/infer/detector.ts';
import { createSession } from '../packages/magface/src/infer/node/session.ts';
import { loadModel } from '../packages/magface/src/models/load-model.ts';

const [name, downloaded] = process.argv.slice(2);
const set = name === undefined ? undefined : researchSets[name];
if (set === undefined || downloaded === undefined) {
  const shown = set === undefined ? Object.entries(researchSets) : [[name!, set] as const];
  for (const [key, { title, from, terms, files, place }] of shown) {
    const there = existsSync(join(dataFolder, place)) ? 'is there' : 'is not there';
    console.log(`${key}: ${title}\n  from   ${from}\n  terms  ${terms}\n  ${join(dataFolder, place)} ${there}`);
    console.log(`  then   npm run data -- ${key} FOLDER, where FOLDER holds ${files}\n`);
  }
  if (name !== undefined && set === undefined) {
    console.error(`Expected lfw, celeba or cfp but received ${name}.`);
    process.exitCode = 2;
  }
} else {
  const place = join(dataFolder, set.place);
  mkdirSync(place, { recursive: true });
  console.log(`Terms: ${set.terms}`);
  const model = await loadModel('yunet', { kind: 'detector' });
  const detector = await createDetector(await createSession(model), model.contract, { name: model.name });
  try {
    const onProgress = (done: number, total: number): void => {
      if (done % 500 === 0) console.error(`${done} of ${total}`);
    };
    const detect = (image: Parameters<typeof detector.detect>[0]) => detector.detect(image);
    console.log(`${place}: ${await set.arrange(resolve(downloaded), place, { detect, onProgress })}`);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 2;
  } finally {
    await detector[Symbol.asyncDispose]();
  }
}
