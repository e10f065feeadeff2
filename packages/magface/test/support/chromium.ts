/** The system's Chromium, where there is one, driven by Playwright. `npm test` installs it with apt where it is root. */
import { existsSync } from 'node:fs';
import { type Browser, chromium, type LaunchOptions } from 'playwright-core';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

/** What the titles of skipped tests of pages end in; undefined where they run. */
export const withoutChromium: string | undefined =
  executablePath === undefined ? ' [skipped: no Chromium under /usr/bin; apt-get install chromium]' : undefined;

const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** Chromium's H.264 decoder sometimes waits for minutes on its own threads on virtual machines, also in a video element. */
export const steadyDecoder = '--video-threads=1';

export function openChromium({ args = [], ...options }: LaunchOptions = {}): Promise<Browser> {
  return chromium.launch({
    ...options,
    executablePath: executablePath!,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', ...quiet, ...args],
  });
}
