#!/usr/bin/env node
/**
 * For `npm test`: has the addon ready where that is possible. Installs libtorch with apt where this is root on Debian or
 * Ubuntu and none is found; elsewhere says what to install. Ends with 0 either way: tests that need it say that they are
 * skipped.
 */
import { spawnSync } from 'node:child_process';
import { build } from '../dist/build.js';
import { findLibtorch } from '../dist/find-libtorch.js';

// oneDNN's headers for inference with packed weights; OpenBLAS, since Debian's libtorch falls back to the reference BLAS: 20 times slower in the linear layer.
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
  console.error('Training is not tested here; everything else is.');
}
