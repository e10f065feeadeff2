#!/usr/bin/env node
/** The command `magface`. It stands here before anything is built, since npm links no command whose file is missing. */
import { existsSync } from 'node:fs';

const program = new URL('../dist/cli/main.js', import.meta.url);
if (existsSync(program)) await import(program.href);
else {
  console.error('Expected magface to be built but dist/cli/main.js is missing: run `npm start` in the clone once.');
  process.exitCode = 2;
}
