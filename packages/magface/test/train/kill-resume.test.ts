import { expect, test } from 'vitest';
import { listCheckpoints } from '../../src/train/loop/checkpoint-file.ts';
import { parseTrainConfig, type TrainConfig } from '../../src/train/settings/config.ts';
import { describeTraining, u01 } from './golden.ts';
import { runInProcess } from './killed-run.ts';
import { smallSet, temporaryFolder, tinyRun } from './small-set.ts';

const steps = 40;
const stepsPerEpoch = 10;

describeTraining('a run of 40 steps', () => {
  const trainList = smallSet(4, 5); // 20 images in batches of 2
  const config = (): TrainConfig =>
    parseTrainConfig({
      ...tinyRun,
      batchSize: 2,
      trainList,
      output: temporaryFolder(),
      epochs: 4,
      saveSteps: 3,
      keep: 3,
    });

  test('gives identical losses after repeated SIGKILL in mid-epoch, bit for bit', () => {
    const unbroken = runInProcess(config()).losses;
    expect([...unbroken.keys()]).toEqual(Array.from({ length: steps }, (_, i) => i + 1));

    // One kill in each epoch, at a step that the seed chooses and that is not the epoch's last.
    const kills = [...u01('kills 1', 4)].map(
      (u, epoch) => epoch * stepsPerEpoch + 1 + Math.floor(u * (stepsPerEpoch - 1)),
    );
    const broken = config();
    for (const [i, killAfter] of [...kills, undefined].entries()) {
      const { losses, signal } = runInProcess(broken, { resume: i > 0, killAfter });
      expect(signal, `part ${i}`).toBe(killAfter === undefined ? null : 'SIGKILL');
      expect([...losses.keys()].at(-1)).toBe(killAfter ?? steps);
      for (const [step, loss] of losses)
        expect(loss, `step ${step}, in part ${i} with kills at ${kills}`).toBe(unbroken.get(step));
      // It goes on from the newest checkpoint: at most 3 steps are done twice.
      if (i > 0) expect(kills[i - 1]! + 1 - [...losses.keys()][0]!).toBeLessThanOrEqual(3);
    }
    expect(listCheckpoints(broken.output)).toHaveLength(3);
  });
});
