#!/usr/bin/env node
/**
 * Builds the addon for `npm test`, if possible. Installs a missing libtorch with apt when run as root on Debian or Ubuntu;
 * elsewhere says what to install. Always exits with 0: tests that need the addon report that they are skipped.
 */
import { spawnSync } from 'node:child_process';
import { build } from '../dist/build.js';
import { findLibtorch } from '../dist/find-libtorch.js';

// libdnnl-dev: oneDNN's headers, for inference with packed weights. OpenBLAS: Debian's libtorch otherwise falls back to the
// reference BLAS, whose linear layer is 20 times slower.
const packages = ['libtorch-dev', 'libdnnl-dev', 'libopenblas0-pthread', 'cmake', 'g++', 'make'];

function isThere() {
  try {
    findLibtorch();
    return true;
  } catch {
    return false;
  }
}

function apt(...words) {
  const options = { stdio: ['ignore', 2, 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  return spawnSync('apt-get', ['-qq', ...words], options).status === 0;
}

const isRootOnDebian = () => process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0;

if (!isThere() && isRootOnDebian()) {
  console.error(`Installing ${packages.join(', ')} for training (once) ...`);
  if (!apt('update') || !apt('install', '-y', '--no-install-recommends', ...packages)) {
    console.error('apt could not install them.');
  }
}
try {
  build();
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  console.error('The tests of training are skipped; all others run.');
}
