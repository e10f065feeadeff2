/** To PyTorch in mid-training and back: official checkpoints with SGD's state. */
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FormatError } from '../../../src/errors.ts';
import { convertTensors } from '../../../src/format/convert-tensors.ts';
import { toFloat32 } from '../../../src/format/tensor.ts';
import { openTorch } from '../../../src/format/torch-file.ts';
import { writeTorch } from '../../../src/format/torch-writer.ts';
import { listCheckpoints, readCheckpoint } from '../../../src/train/loop/checkpoint-file.ts';
import { readOfficialRun } from '../../../src/train/loop/official-checkpoint.ts';
import { train } from '../../../src/train/loop/run.ts';
import { parseTrainConfig } from '../../../src/train/settings/config.ts';
import { pyTorch, withoutPyTorch } from '../../support/python.ts';
import { describeTraining } from '../golden.ts';
import { smallNetwork, smallSet, temporaryFolder, tinyRun } from '../small-set.ts';

/** Loads the state into SGD over parameters of the saved shapes, takes a step, and saves the same layout again. */
const goOn = `
saved = torch.load(sys.argv[1], map_location='cpu')
learned = [(n, v) for n, v in saved['state_dict'].items() if not n.split('.')[-1].startswith(('running', 'num_batches'))]
parameters = [torch.nn.Parameter(v.clone()) for _, v in learned]
sgd = torch.optim.SGD(parameters, 0.5)
sgd.load_state_dict(saved['optimizer'])
for p in parameters: p.grad = torch.ones_like(p)
sgd.step()
for (name, _), p in zip(learned, parameters): saved['state_dict'][name] = p.detach()
torch.save({**saved, 'epoch': 2, 'optimizer': sgd.state_dict()}, sys.argv[2])
group = sgd.param_groups[0]
print(json.dumps([group['lr'], group['momentum'], group['weight_decay'], len(group['params']), learned[-1][0]]))
`;

describeTraining('a run of one epoch', () => {
  const trained = async (): Promise<{ checkpoint: string; trainList: string }> => {
    const trainList = smallSet(2, 4);
    const config = parseTrainConfig({ ...tinyRun, epochs: 1, trainList, output: temporaryFolder() });
    await train(config);
    return { checkpoint: listCheckpoints(config.output)[0]!, trainList };
  };

  const title = withoutPyTorch === undefined ? '' : ` [skipped: ${withoutPyTorch}]`;
  test.skipIf(withoutPyTorch !== undefined)(
    `continues in PyTorch by torch.optim.SGD.load_state_dict, and from there here by --resume${title}`,
    async () => {
      const { checkpoint, trainList } = await trained();
      const output = temporaryFolder();
      const [there, back] = [join(temporaryFolder(), 'ours.pth'), join(output, '00002.pth')];
      await convertTensors(checkpoint, there);
      const facts = pyTorch<unknown[]>(goOn, [there, back]);
      expect(facts).toEqual([0.01, 0.9, 5e-4, 38, 'module.fc.weight']);

      const before = (await readCheckpoint(checkpoint)).tensors;
      const { content, epoch, atRest } = await readOfficialRun(back, {
        arch: smallNetwork,
        embeddingSize: 32,
        classes: 2,
      });
      expect([epoch, atRest]).toEqual([2, 0]);
      for (const name of ['features.stage0.down.conv.weight', 'fc.weight']) {
        const [weight, velocity] = [before.get(name)!, before.get(`optimizer.${name}`)!].map(toFloat32);
        const next = velocity!.map((v, i) => 0.9 * v + 1 + 5e-4 * weight![i]!);
        const found = toFloat32(content.tensors.get(`optimizer.${name}`)!);
        expect(Math.max(...found.map((v, i) => Math.abs(v / next[i]! - 1)))).toBeLessThan(1e-4);
      }
      const notes: string[] = [];
      const config = parseTrainConfig({ ...tinyRun, epochs: 3, trainList, output });
      const row = await train(config, { resume: true, onNote: (line) => notes.push(line) });
      expect(notes).toContain(`Continuing from ${back} of the official trainer: epoch 2, with all velocities.`);
      expect(row).toMatchObject({ epoch: 2, step: 6 });
    },
  );

  test('rejects a checkpoint that does not fit; without --optimizer it has none', async () => {
    const { checkpoint } = await trained();
    const [with_, without] = ['with.pth', 'without.pth'].map((name) => join(temporaryFolder(), name)) as [
      string,
      string,
    ];
    await convertTensors(checkpoint, with_);
    await convertTensors(checkpoint, without, { optimizer: false });
    const wanted = { arch: smallNetwork, embeddingSize: 32, classes: 2 };
    expect(await readOfficialRun(with_, wanted)).toMatchObject({ epoch: 1, atRest: 0 });
    expect(await readOfficialRun(without, wanted)).toMatchObject({ epoch: 1, atRest: 38 });
    await expect(readOfficialRun(with_, { ...wanted, classes: 3 })).rejects.toThrow(
      /3 classes but it has 2: use --init/,
    );
    await expect(readOfficialRun(with_, { ...wanted, arch: 'iresnet18' })).rejects.toThrow(FormatError);
    const file = await openTorch(with_);
    expect([...(file.value as Map<string, unknown>).keys()]).toEqual(['epoch', 'arch', 'state_dict', 'optimizer']);
    await file.close();
    await writeTorch(with_, { state_dict: new Map() });
    await expect(readOfficialRun(with_, wanted)).rejects.toThrow(FormatError);
  });
});
