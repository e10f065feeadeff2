import { expect, test } from 'vitest';
import { damages } from '../../../src/degrade/damage.ts';
import { visibleComponent, visibleScores } from '../../../src/eval/methods/visible-components.ts';
import type { AnalyzedFace } from '../../../src/face.ts';
import { MagFace } from '../../../src/infer/node/magface.ts';
import { ofiqColumn } from '../../support/ofiq-table.ts';
import { samplePhoto } from '../../support/sample-photos.ts';

test('blur lowers sharpness alone, and a bar over the eyes their visibility alone', async () => {
  await using magface = await MagFace.load({ threads: 1 });
  const faces = await magface.analyze(samplePhoto(1));
  const [face] = [...faces].sort(
    (a, b) => visibleComponent('eyes-visible', b).score - visibleComponent('eyes-visible', a).score,
  );
  const changed = (crop: AnalyzedFace['crop']): AnalyzedFace => ({ ...face!, crop });
  const scores = (of: AnalyzedFace) =>
    (['sharpness', 'eyes-visible', 'mouth-visible'] as const).map((name) => visibleComponent(name, of).score);
  const [sharp, eyes, mouth] = scores(face!) as [number, number, number];
  const [blurred] = scores(changed(damages.blur.apply(face!.crop, 0.6, 1))) as [number];
  expect(blurred).toBeLessThan(sharp - 30);
  const data = Uint8Array.from(face!.crop.data);
  data.fill(15, 3 * 112 * 42, 3 * 112 * 62); // rows of both eyes
  const [, coveredEyes, stillMouth] = scores(changed({ ...face!.crop, data })) as [number, number, number];
  expect(coveredEyes).toBeLessThan(eyes - 50);
  expect(Math.abs(stillMouth - mouth)).toBeLessThan(40);
});

test.each(['EyesVisible', 'MouthOcclusionPrevention'])(
  "%s: OFIQ's published scores are 100 less the covered share, as here",
  (column) => {
    expect(ofiqColumn(column)).toHaveLength(28);
    expect(ofiqColumn(column).map((raw) => Math.round(visibleScores['eyes-visible'](100 * raw)))).toEqual(
      ofiqColumn(`${column}.scalar`),
    );
  },
);
