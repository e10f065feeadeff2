/** Debian's PyTorch, which tests ask for a second opinion where it is installed (package python3-torch). */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const interpreter = '/usr/bin/python3';

/** Why there is no PyTorch to ask, for a skipped test's title; undefined where there is. */
export const withoutPyTorch: string | undefined = (() => {
  if (!existsSync(interpreter)) return `${interpreter} is not on this machine`;
  try {
    execFileSync(interpreter, ['-c', 'import importlib.util as u; assert u.find_spec("torch")'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'python3-torch is not on this machine';
  }
})();

/** `load(path)` for scripts: with `weights_only=True` where this PyTorch has it. */
export const loadSafely = `
import json, sys, torch
from inspect import signature
def load(path):
    safely = {'weights_only': True} if 'weights_only' in signature(torch.load).parameters else {}
    return torch.load(path, map_location='cpu', **safely)
`;

/** @returns what the script prints, as JSON */
export function pyTorch<T>(script: string, args: readonly string[]): T {
  const text = execFileSync(interpreter, ['-c', loadSafely + script, ...args], { encoding: 'utf8' });
  return JSON.parse(text) as T;
}
