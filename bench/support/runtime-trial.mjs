/** What bench/runtimes.ts runs in each runtime, in a folder with the packed package: `trial.mjs PHOTO...`; prints JSON. */
import { MagFace } from 'magface';
import { errorVersusReject } from 'magface/eval';

const photos = process.argv.slice(2);
const plain = (faces) => faces.map(({ box, magnitude, quality }) => ({ box, magnitude, quality }));
const magface = await MagFace.load({ workers: 2 });
const analyze = plain(await magface.analyze(photos[0]));
const stream = [];
for await (const { faces, error } of magface.stream([...photos, ...photos, 'missing.jpg']))
  stream.push(error === undefined ? plain(faces) : error.code);
const { name, code, message } = await magface.analyze('missing.jpg').catch((error) => error);
await magface[Symbol.asyncDispose]();

for (let wait = 0; wait < 600; wait += 100) {
  const ended = await MagFace.load({ workers: 2 });
  const signal = AbortSignal.timeout(wait);
  try {
    for await (const _ of ended.stream([...photos, ...photos], { signal }));
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  await ended[Symbol.asyncDispose]();
}

const pairs = Array.from({ length: 200 }, (_, i) => i);
const { pauc } = errorVersusReject(
  Float64Array.from(pairs, (i) => Math.sin(i) + (i % 2)),
  Uint8Array.from(pairs, (i) => i % 2),
  Float64Array.from(pairs, (i) => (i * 37) % 101),
  { fmr: 0.05 },
);
console.log(JSON.stringify({ analyze, stream, missing: { name, code, message }, abort: 'goes on', eval: pauc }));
