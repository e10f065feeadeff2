import { Tensor } from 'onnxruntime-common';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { type LandmarkComponentName, landmarkComponent } from '../../../src/eval/methods/landmark-components.ts';
import { landmarksModel, openLandmarker } from '../../../src/eval/methods/landmarker.ts';
import { openMethods } from '../../../src/eval/methods/open-methods.ts';
import { MagFace } from '../../../src/infer/node/magface.ts';
import { createSession } from '../../../src/infer/node/session.ts';
import { inputFiller } from '../../../src/infer/session.ts';
import { loadModel } from '../../../src/models/load-model.ts';
import { fixtureBytes, fixtureText } from '../../support/fixtures.ts';
import { samplePhoto } from '../../support/sample-photos.ts';

test('the network finds what face-api’s own finds', async () => {
  const { bytes, name, contract } = await loadModel(landmarksModel, { kind: 'landmarker' });
  const session = await createSession(bytes, { name, threads: 1 });
  const expected = JSON.parse(fixtureText('landmarks/expected.json')) as number[][];
  for (const [face, points] of expected.entries()) {
    const { data } = await sharp(fixtureBytes(`alignment/${face}.png`))
      .removeAlpha()
      .raw()
      .toBuffer({ resolveWithObject: true });
    const values = new Float32Array(3 * 112 * 112);
    inputFiller(contract.input)({ data: new Uint8Array(data), width: 112, height: 112 }, values, 0);
    const feeds = { [session.inputNames[0]!]: new Tensor('float32', values, [1, 3, 112, 112]) };
    const found = (await session.run(feeds, session.outputNames))[session.outputNames[0]!]!.data as Float32Array;
    expect([...found]).toEqual(points.map((value) => expect.closeTo(value, 5)));
  }
  await session.release();
});

test('asked for together, both share one run of the network for a face', async () => {
  await using magface = await MagFace.load({ threads: 1 });
  const faces = await magface.analyze(samplePhoto(1));
  await using landmarker = await openLandmarker(magface.engine);
  const crops = faces.map(({ crop }) => crop);
  const first = await landmarker.find(crops);
  for (const { data } of crops) data.fill(0); // a second run would see black
  expect(await landmarker.find([...crops].reverse())).toEqual([...first].reverse());
  const again = await magface.analyze(samplePhoto(1));
  await using both = await openMethods(['eyes-open', 'size', 'mouth-closed'], magface);
  const [one] = await both.measure(again);
  const { width, height } = again[0]!.crop; // ratios within the face are those in the photo
  const score = (name: LandmarkComponentName) => landmarkComponent(name, first[0]!, { width, height }).score;
  expect(one).toMatchObject({
    'eyes-open': expect.closeTo(score('eyes-open'), 6),
    'mouth-closed': expect.closeTo(score('mouth-closed'), 6),
  });
});
