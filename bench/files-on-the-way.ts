/**
 * Which source files a photo and a model pass through: `npx tsx -C magface:source bench/files-on-the-way.ts`
 *
 * Counts files with a function that ran, by V8's coverage: for a photo, between the call of `analyze` and its result, after another
 * photo; for a model, between the call of `loadModel` and the model, for a file that lies in the cache. Types, constants and the
 * worker thread's own loop do not count. Writes bench/results/files-on-the-way.json.
 */
import { Session } from 'node:inspector/promises';
import { MagFace } from '../packages/magface/src/infer/node/magface.ts';
import { loadModel } from '../packages/magface/src/models/load-model.ts';
import { samplePhoto } from '../packages/magface/test/support/sample-photos.ts';
import { writeResult } from './support/result.ts';

const session = new Session();
session.connect();
await session.post('Profiler.enable');

/** Files of the package with a function that ran during the work, in the order of their names. */
async function filesOf(work: () => Promise<unknown>): Promise<string[]> {
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  await work();
  const { result } = await session.post('Profiler.takePreciseCoverage');
  await session.post('Profiler.stopPreciseCoverage');
  const source = '/packages/magface/src/';
  const ran = result.filter(({ url, functions }) => {
    // A module's own top level has no name and runs when it is loaded: that alone is not a step on the way.
    return (
      url.includes(source) && functions.some(({ functionName, ranges }) => functionName !== '' && ranges[0]!.count > 0)
    );
  });
  return ran.map(({ url }) => url.slice(url.indexOf(source) + source.length)).sort();
}

await using magface = await MagFace.load({ threads: 1 });
await magface.analyze(samplePhoto(1));
const photo = await filesOf(() => magface.analyze(samplePhoto(2)));
const model = await filesOf(() => loadModel('magface-small', { kind: 'recogniser' }));
writeResult('files-on-the-way', {
  photo: { files: photo.length, names: photo },
  model: { files: model.length, names: model },
});
