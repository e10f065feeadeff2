import { writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fromArray, noGrad, scope } from '@magface/torch';
import { InferenceSession, Tensor as OrtTensor } from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { FormatError } from '../../src/errors.ts';
import { toFloat32 } from '../../src/format/tensor.ts';
import { architecture, openArchitecture } from '../../src/graph/networks/architectures.ts';
import { createNetwork } from '../../src/graph/torch/network.ts';
import { listCheckpoints, readCheckpoint } from '../../src/train/loop/checkpoint-file.ts';
import { train } from '../../src/train/loop/run.ts';
import type { ValidationRow } from '../../src/train/loop/validate.ts';
import { exportCheckpoint } from '../../src/train/model/export-checkpoint.ts';
import { loadWeights } from '../../src/train/model/initial-weights.ts';
import { magnitudeAdvice } from '../../src/train/model/recipe.ts';
import { readRows } from '../../src/train/record/metrics.ts';
import { parseTrainConfig } from '../../src/train/settings/config.ts';
import { fixtureFile, fixtureJson } from '../support/fixtures.ts';
import { describeTraining, u01 } from './golden.ts';
import { smallSet, temporaryFolder, tinyRun } from './small-set.ts';

const settings = { ...tinyRun, epochs: 2 };

describeTraining('finetuning and validation', () => {
  test('starts from a backbone with any number of classes, and says if l_a and u_a do not fit', async () => {
    const first = parseTrainConfig({ ...settings, epochs: 1, trainList: smallSet(2, 4), output: temporaryFolder() });
    await train(first);
    const [checkpoint = ''] = listCheckpoints(first.output);
    const network = createNetwork(await openArchitecture(tinyRun.arch, 32), 5);
    await loadWeights(network, checkpoint);
    const stored = toFloat32((await readCheckpoint(checkpoint)).tensors.get('features.linear.weight')!);
    expect(network.tensors.get('linear.weight')?.toArray()).toEqual(stored);

    const notes: string[] = [];
    const second = {
      trainList: smallSet(3, 4),
      output: temporaryFolder(),
      init: checkpoint,
      lowerMagnitude: 1000,
      upperMagnitude: 2000,
      lambdaG: 1e9,
    };
    await train(parseTrainConfig({ ...settings, ...second }), { onNote: (line) => notes.push(line) });
    expect(notes[0]).toMatch(/Magnitudes of the starting model lie in .* use --l_a .* --u_a/);
    const other = createNetwork(architecture('iresnet18', 32), 1);
    await expect(loadWeights(other, checkpoint)).rejects.toThrow(FormatError);
  });

  test("exports an ONNX file that gives the checkpoint's features", async () => {
    const config = parseTrainConfig({ ...settings, epochs: 1, trainList: smallSet(2, 4), output: temporaryFolder() });
    await train(config);
    const [checkpoint = ''] = listCheckpoints(config.output);
    const session = await InferenceSession.create(await exportCheckpoint(checkpoint, { arch: tinyRun.arch }));
    const images = u01('export', 3 * 112 * 112);
    const results = await session.run({ input: new OrtTensor('float32', images, [1, 3, 112, 112]) });
    const network = createNetwork(await openArchitecture(tinyRun.arch, 32), 1);
    await loadWeights(network, checkpoint);
    using _scope = scope();
    using _grad = noGrad();
    const features = network.forward(fromArray(images, [1, 3, 112, 112]), { training: false });
    const [actual, expected] = [results['embedding']!.data as Float32Array, features.toArray() as Float32Array];
    const norm = Math.hypot(...expected);
    expect(Math.max(...expected.map((value, i) => Math.abs(actual[i]! - value))) / norm).toBeLessThan(1e-4);
  });

  test('validates after each epoch and keeps the best model', async () => {
    const set = smallSet(4, 4);
    const pairs = Array.from({ length: 40 }, (_, i) => {
      const [a, b] = [i % 4, i % 2 === 0 ? i % 4 : (i + 1) % 4];
      return `person-${a}/${i % 3}.jpg person-${b}/3.jpg ${a === b ? 1 : 0}`;
    });
    const list = join(set, 'pairs.list');
    writeFileSync(list, pairs.join('\n'));
    const images = smallSet(4, 4, 'person-');
    const config = parseTrainConfig({
      ...settings,
      trainList: set,
      output: temporaryFolder(),
      evalPairs: list,
      evalRoot: images,
    });
    await train(config);
    const rows = readRows<ValidationRow>(join(config.output, 'validation.jsonl'));
    expect(rows.map(({ epoch }) => epoch)).toEqual([1, 2]);
    expect(rows[1]!.accuracy).toBeGreaterThan(0.4);
    expect(rows[1]!.rejectFnmr).toEqual([null, null, null, null]); // 20 impostors cannot tell FMR 1e-2
    const best = await readCheckpoint(join(config.output, 'best.safetensors'));
    expect(best.state).toMatchObject({ arch: 'own-network' });
    expect(listCheckpoints(config.output).map((file) => basename(file))).not.toContain('best.safetensors');
  });
});

describeTraining('checkpoints in the official layouts', () => {
  test.each(['distributed', 'single_process_legacy'])('gives the features of PyTorch: %s', async (name) => {
    const expected = fixtureJson<{ features: number[][] }>('torch/iresnet18.json');
    const network = createNetwork(architecture('iresnet18'), 1);
    await loadWeights(network, fixtureFile(`torch/${name}.pth`));
    using _scope = scope();
    using _grad = noGrad();
    const images = fromArray(u01('input', 2 * 3 * 112 * 112), [2, 3, 112, 112]);
    const features = network.forward(images, { training: false }).toArray() as Float32Array;
    const worst = Math.max(...expected.features.flat().map((value, i) => Math.abs(features[i]! - value)));
    expect(worst / Math.hypot(...expected.features[0]!)).toBeLessThan(1e-4);
  });
});

test('magnitudes within [l_a, u_a] need no advice', () => {
  expect(magnitudeAdvice([12, 30], { lowerMagnitude: 10, upperMagnitude: 110 })).toBeUndefined();
  expect(magnitudeAdvice([5, 40], { lowerMagnitude: 10, upperMagnitude: 110 })).toMatch(
    /use --l_a 3\.48 --u_a 45\.6\.$/,
  );
});
