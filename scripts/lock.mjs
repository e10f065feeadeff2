/**
 * `npm run lock`: brings package-lock.json up to date and takes the registries' addresses out of it, so that npm uses
 * whichever registry it is set to.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { root, run } from './set-up.mjs';

run('npm', ['install', '--ignore-scripts', '--no-fund', '--no-audit']);
const file = `${root}/package-lock.json`;
const lock = JSON.parse(readFileSync(file, 'utf8'));
for (const entry of Object.values(lock.packages)) if (/^https?:/.test(entry.resolved ?? '')) delete entry.resolved;
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
