import { ConfigError } from 'magface';
import { describe, expect, test } from 'vitest';
import { fromFlag, parseTrainConfig } from '../../../src/train/settings/config.ts';

const least = { trainList: 'faces.list', output: 'run' };

describe('an invalid setting is reported with the expected and the received value', () => {
  test.each([
    [{}, 'Expected --train-list (training set: official lists'],
    [
      { trainList: 'faces.list' },
      'Expected --output (folder for checkpoints, metrics and the report) but it is missing: pass --output.',
    ],
    [{ ...least, lr: 'fast' }, 'Expected --lr to be a number but received "fast"'],
    [{ ...least, epochs: 1.5 }, 'Expected --epochs to be a whole number but received 1.5'],
    [{ ...least, epochs: 0 }, 'Expected --epochs to be over 0 but received 0'],
    [{ ...least, momentum: 1 }, 'Expected --momentum to be under 1 but received 1'],
    [{ ...least, weightDecay: -1 }, 'Expected --weight-decay to be at least 0 but received -1'],
    [{ ...least, precision: 'fp8' }, 'Expected --precision to be one of fp32, bf16, fp16 but received "fp8"'],
    [{ ...least, lrDropEpoch: ['late'] }, 'Expected --lr-drop-epoch to be whole numbers but received ["late"]'],
    [{ ...least, trainList: [] }, 'Expected --train-list to be a list of at least 1 but received []'],
    [{ ...least, speed: 9 }, 'Expected known settings but received speed'],
  ])('%j', (given, message) => {
    expect(() => parseTrainConfig(given)).toThrow(ConfigError);
    expect(() => parseTrainConfig(given)).toThrow(message);
  });
});

test('a path that looks like a number stays a path', () => {
  expect(fromFlag('output', '2024')).toEqual({ output: '2024' });
  expect(fromFlag('train-list', ['007'])).toEqual({ trainList: ['007'] });
  expect(fromFlag('batch-size', '64')).toEqual({ batchSize: 64 });
});
