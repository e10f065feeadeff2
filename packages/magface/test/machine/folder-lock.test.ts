/** One owner at a time: with processes of this machine, with those whose numbers mean nothing here, and in a race. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type LockOptions, lockFolder as lockAs, processSpace } from '../../src/machine/folder-lock.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'lock ü '));
});
afterEach(() => rmSync(folder, { recursive: true }));

const asGallery = { key: 'gallery', what: 'the gallery', use: 'has it open', remedy: 'stop that' };
const lockFolder = (path: string, options: LockOptions) => lockAs(path, asGallery, options);

const times = { beat: 20, silence: 400 };
const foreign = { space: 'another container', pid: process.pid, host: 'elsewhere' };
const put = (owner: unknown): string => {
  const file = join(folder, 'lock-theirs');
  writeFileSync(file, JSON.stringify(owner));
  return file;
};

test('is held, rejects others, and is returned', async () => {
  const lock = await lockFolder(folder, times);
  await expect(lockFolder(folder, times)).rejects.toMatchObject({
    code: 'wrong_configuration',
    key: 'gallery',
    message: `Expected the gallery ${folder} to be unused but this process has it open: stop that.`,
  });
  lock.expectHeld();
  await lock.release();
  expect(readdirSync(folder)).toEqual([]);
  await (await lockFolder(folder, times)).release();
});

test('admits at most one of twenty at once', async () => {
  const asked = await Promise.allSettled(Array.from({ length: 20 }, () => lockFolder(folder, times)));
  expect(asked.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(1);
  expect(readdirSync(folder).length).toBeLessThanOrEqual(1);
});

test('waits for a file that its owner has not written yet, then removes it', async () => {
  const file = join(folder, 'lock-theirs');
  writeFileSync(file, '');
  const beating = setInterval(() => writeFileSync(file, ''), 20);
  await expect(lockFolder(folder, times)).rejects.toThrow('another process has it open');
  clearInterval(beating);
  expect(readdirSync(folder)).toEqual(['lock-theirs']);
  await (await lockFolder(folder, times)).release();
  expect(readdirSync(folder)).toEqual([]);
});

test('ignores a dead process of this machine without waiting', async () => {
  const other = spawn('sleep', ['60']);
  put({ space: await processSpace(), pid: other.pid, host: 'here' });
  const slow = { beat: 1000, silence: 60_000 }; // a busy machine is late with everything
  await expect(lockFolder(folder, slow)).rejects.toThrow(`process ${other.pid} of here has it open`);
  other.kill('SIGKILL');
  await new Promise((resolve) => other.on('exit', resolve));
  const start = performance.now();
  await (await lockFolder(folder, slow)).release();
  expect(performance.now() - start).toBeLessThan(10_000);
  expect(readdirSync(folder)).toEqual([]);
});

test('depends only on signs of life elsewhere, whatever the process id and the clock', async () => {
  const file = put(foreign);
  let hour = 0;
  const beating = setInterval(() => utimesSync(file, hour, hour++), 20);
  await expect(lockFolder(folder, times)).rejects.toThrow(`process ${process.pid} of elsewhere has it open`);
  clearInterval(beating);
  await (await lockFolder(folder, times)).release();
  expect(readdirSync(folder)).toEqual([]);
});

test('ignores a process id that another process now has', async () => {
  const file = put({ space: await processSpace(), pid: process.pid, host: 'here' });
  utimesSync(file, 0, 0);
  await (await lockFolder(folder, times)).release();
});

test('tells an owner that it was taken for dead', async () => {
  const lock = await lockFolder(folder, times);
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
  await sleep(200);
  expect(() => lock.expectHeld()).toThrow('was suspended for so long that another took it over');
  await lock.release();
});

test('shows signs of life from a thread while the main thread computes, and reports the loss of the lock', async () => {
  const lock = await lockFolder(folder, { ...times, thread: true });
  const file = join(folder, readdirSync(folder)[0]!);
  utimesSync(file, 0, 0);
  // Nothing else runs in this thread meanwhile.
  for (const end = performance.now() + 30_000; performance.now() < end && statSync(file).mtimeMs === 0; );
  expect(statSync(file).mtimeMs).toBeGreaterThan(Date.now() - 60_000);
  rmSync(file);
  for (let i = 0; i < 500 && !isLost(lock); i++) await sleep(20);
  expect(() => lock.expectHeld()).toThrow('another took it over');
  await lock.release();
});

test('shows signs of life also in a program given as text', () => {
  const source = new URL('../../src/machine/folder-lock.ts', import.meta.url).href;
  const code = `
    import { lockFolder } from '${source}';
    const lock = await lockFolder(${JSON.stringify(folder)}, ${JSON.stringify(asGallery)}, { thread: true });
    await new Promise((resolve) => setTimeout(resolve, 500));
    lock.expectHeld();
    await lock.release();`;
  const words = ['--import', 'tsx', '-C', 'magface:source', '--input-type=module', '-e', code];
  const { status, stderr } = spawnSync(process.execPath, words, {
    cwd: fileURLToPath(new URL('.', import.meta.url)),
    encoding: 'utf8',
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

function isLost(lock: { expectHeld(): void }): boolean {
  try {
    lock.expectHeld();
    return false;
  } catch {
    return true;
  }
}
