/** The command against a recogniser that sees brightness alone, so that the outcome is known. */
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';
import { beforeAll, expect, test } from 'vitest';
import type { Recogniser } from '../../../src/cli/services.ts';
import type { Pixels } from '../../../src/pixels.ts';
import { emptyFolder, runCli } from '../run-cli.ts';

const cwd = emptyFolder();

beforeAll(async () => {
  mkdirSync(join(cwd, 'faces'));
  const noise = { type: 'gaussian', mean: 150, sigma: 40 } as const;
  await sharp({ create: { width: 112, height: 112, channels: 3, background: 'grey', noise } }).toFile(
    join(cwd, 'faces/a.png'),
  );
  copyFileSync(join(cwd, 'faces/a.png'), join(cwd, 'faces/b.png'));
});

/** Its feature is (brightness, 1): darkness alone is damage to it. */
function brightnessSeer(): Recogniser {
  const model = { name: 'seer', id: undefined, assumed: [], contract: { kind: 'recogniser' } };
  return {
    model,
    detector: undefined,
    async *stream(inputs: AsyncIterable<Pixels>) {
      for await (const input of inputs) {
        const mean = Array.from(input.data).reduce((sum, value) => sum + value, 0) / input.data.length;
        const embedding = Float32Array.of(mean, 1);
        yield { input, faces: [{ embedding, magnitude: Math.hypot(mean, 1) }] };
      }
    },
    [Symbol.asyncDispose]: async () => undefined,
  } as unknown as Recogniser;
}
const services = { load: async () => brightnessSeer() };

test('darkness lowers the magnitude of a model that measures brightness, and the page is written', async () => {
  const words = ['evaluate', 'robustness', '--faces', 'faces', '--per-kind', '3', '--report', 'r.html'];
  const { exitCode, stdout, stderr } = await runCli(words, { cwd, services });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: 'Report: r.html. Open it in a browser.\n' });
  const lines = stdout.split('\n');
  expect(lines[0]).toBe('seer, 2 faces: median magnitude and cosine to the clean face, by damage');
  expect(lines[1]).toBe('              clean  0.33  0.67  1.00');
  expect(lines.find((line) => line.startsWith('darkness     -1.00'))).toMatch(
    /^darkness {5}-1.00 \(-1.00 to -1.00\)\s+1.00 /,
  );
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  expect(readFileSync(join(cwd, 'r.html'), 'utf8')).toContain('<h1>Robustness: seer</h1>');
});

test('--json has every step in its own unit, and --limit reduces the faces', async () => {
  const words = ['evaluate', 'robustness', '--faces', 'faces', '--per-kind', '2', '--limit', '1', '--json'];
  const record = JSON.parse((await runCli(words, { cwd, services })).stdout) as {
    faces: number;
    kinds: { kind: string; steps: { damage: string; quality: number | null }[] }[];
  };
  expect(record.faces).toBe(1);
  const darkness = record.kinds.find(({ kind }) => kind === 'darkness');
  expect(darkness?.steps.map(({ damage, quality }) => [damage, quality])).toEqual([
    ['0.0 stops', null],
    ['3.0 stops', null],
    ['6.0 stops', null],
  ]);
});

test('reports a face of another size, measures the rest and exits with 1', async () => {
  await sharp({ create: { width: 90, height: 112, channels: 3, background: 'grey' } }).toFile(
    join(cwd, 'faces/wide.png'),
  );
  writeFileSync(join(cwd, 'faces/broken.jpg'), 'no');
  const { exitCode, stdout, stderr } = await runCli(
    ['evaluate', 'robustness', '--faces', 'faces', '--per-kind', '2', '--json'],
    { cwd, services },
  );
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ faces: 2, failed: 2 });
  expect(stderr).toContain('faces/wide.png has 90x112: cut it out with `magface align`.\n');
});

test('rejects a single step, which has no order', async () => {
  const { exitCode, stderr } = await runCli(['evaluate', 'robustness', '--faces', 'faces', '--per-kind', '1'], {
    cwd,
    services,
  });
  expect(exitCode).toBe(2);
  expect(stderr).toContain('Expected a whole number from 2 to 10.');
  expect(existsSync(join(cwd, '1'))).toBe(false);
});
