/**
 * Installs what some tests need beyond npm packages: libtorch and the addon, Chromium for pages, PyTorch for comparison. Uses
 * apt when run as root on Debian. Elsewhere the tests that need them are skipped and say why.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { run } from './set-up.mjs';

const browsers = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

const hasPyTorch = () =>
  spawnSync('/usr/bin/python3', ['-c', 'import importlib.util as u; assert u.find_spec("torch")']).status === 0;

/** Ubuntu's chromium is a snap, which cannot be installed in a container. */
const isDebian = () => existsSync('/etc/os-release') && /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'));

function apt(...words) {
  const options = { stdio: ['ignore', 2, 2], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } };
  return spawnSync('apt-get', ['-qq', ...words], options).status === 0;
}

export function installTestTools() {
  run(process.execPath, ['packages/torch/scripts/ensure.mjs']);
  const missing = [...(browsers.some(existsSync) ? [] : ['chromium']), ...(hasPyTorch() ? [] : ['python3-torch'])];
  if (missing.length === 0 || process.getuid?.() !== 0 || !isDebian()) return;
  console.error(`Installing ${missing.join(' and ')} for tests (once) ...`);
  if (!apt('update') || !apt('install', '-y', '--no-install-recommends', ...missing)) {
    console.error('apt could not install them: the tests that need them are skipped.');
  }
}
