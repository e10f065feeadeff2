/** Tests that need the compiled addon run where it is, and say by their title why they were skipped elsewhere. */
import { isBuilt } from '@magface/torch';
import { describe } from 'vitest';

export function describeWithTorch(title: string, body: () => void): void {
  if (isBuilt()) describe(title, body);
  else describe.skip(`${title} [skipped: libtorch's addon is not built; npm run build:torch]`, body);
}
