/**
 * `npm run lock`: updates package-lock.json and removes registry URLs from it, so that npm uses the user's registry.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { root, run } from './set-up.mjs';

run('npm', ['install', '--ignore-scripts', '--no-fund', '--no-audit']);
const file = `${root}/package-lock.json`;
const lock = JSON.parse(readFileSync(file, 'utf8'));
for (const entry of Object.values(lock.packages)) if (/^https?:/.test(entry.resolved ?? '')) delete entry.resolved;
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
