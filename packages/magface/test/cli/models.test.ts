import { expect, test } from 'vitest';
import { listModels } from '../../src/models/list-models.ts';
import { runCli } from './run-cli.ts';

test('a model that a person must fetch is shown with what to do', async () => {
  const { exitCode, stdout } = await runCli(['models', 'show', 'magface-iresnet50', '--json']);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    name: 'magface-iresnet50',
    source: null,
    instructions: expect.stringMatching(/magface_iresnet50_MS1MV2_dp\.pth/),
    kind: 'recogniser',
    calibration: { centre: 23, width: 2.6 },
  });
});

test('pull asks for an address anew, show does not', async () => {
  const asked: unknown[] = [];
  const services = {
    loadModel: async (_: string, { refresh }: { readonly refresh?: boolean | undefined }) => {
      asked.push(refresh);
      throw new Error('enough');
    },
  };
  await runCli(['models', 'pull', 'https://example.org/m.onnx'], { services });
  await runCli(['models', 'show', 'https://example.org/m.onnx'], { services });
  expect(asked).toEqual([true, false]);
});

test('list writes every id whole within 80 columns, since ids are what people type', async () => {
  const { stdout } = await runCli(['models', 'list'], { services: { listModels } });
  const ids = JSON.parse((await runCli(['models', 'list', '--json'], { services: { listModels } })).stdout).map(
    ({ id }: { id: string }) => id,
  );
  expect(ids).toContain('arcface-mobilefacenet');
  for (const id of ids) expect(stdout).toContain(`${id} `);
  expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});
