import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { emptyFolder, runCli } from './run-cli.ts';

test('export-run names what it wrote, and a folder without a run is wrong usage', async () => {
  const cwd = emptyFolder();
  const row = { epoch: 0, step: 20, samples: 100, loss: 1, accuracy: 0.5, imagesPerSecond: 10 };
  mkdirSync(join(cwd, 'runs'));
  writeFileSync(join(cwd, 'runs', 'metrics.jsonl'), `${JSON.stringify(row)}\n`);
  const mlflow = await runCli(['export-run', 'runs', '--to', 'mlflow', '--json'], { cwd });
  expect(JSON.parse(mlflow.stdout)).toMatchObject({ run: 'runs', to: 'mlflow', rows: 1 });
  const wandb = await runCli(['export-run', 'runs', '--to', 'wandb', '--output', 'w'], { cwd });
  expect(wandb.stdout).toMatch(/^1 row in w[/\\]offline-run-\d{8}_\d{6}-[0-9a-f]{8}\n$/);
  expect(readdirSync(cwd).sort()).toEqual(['mlruns', 'runs', 'w']);
  const none = await runCli(['export-run', 'w', '--to', 'mlflow'], { cwd });
  expect(none.exitCode).toBe(2);
  expect(none.stderr).toContain('metrics.jsonl');
});
