#!/usr/bin/env node
/** `npm run build:torch`, `npx magface-torch`: compiles the addon. If it cannot, says what is missing and exits with 2. */
import { build } from '../dist/build.js';

try {
  const { libtorch, from } = build();
  console.error(`@magface/torch is ready: compiled against libtorch ${libtorch}, ${from}.`);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 2;
}
