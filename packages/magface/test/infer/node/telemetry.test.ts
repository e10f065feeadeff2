import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const program = `
  import { MagFace } from '${new URL('../../../dist/index.js', import.meta.url).href}';
  const magface = await MagFace.load({ threads: 1 });
  await magface[Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]();
  console.log(process.env.ORT_DISABLE_TELEMETRY);
`;

test('ONNX Runtime neither identifies the machine nor stores events for its maker', async () => {
  const home = mkdtempSync(join(tmpdir(), 'magface-telemetry-'));
  // The library is silent where CI is set, so a test must not inherit it.
  const env = { PATH: process.env['PATH'], HOME: home, TMPDIR: home };
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { env });
  expect(stdout).toBe('1\n');
  expect(readdirSync(home, { recursive: true })).toEqual([]);
  rmSync(home, { recursive: true });
});
