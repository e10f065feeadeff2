/** Which view an address leads to. */
import { beforeAll, expect, test, vi } from 'vitest';

vi.mock('../src/library.ts', () => ({ library: { value: { kind: 'loading' } }, openLibrary: vi.fn() }));

const location = { hash: '#toString' };
const listeners: (() => void)[] = [];
let view: { readonly value: string };

beforeAll(async () => {
  vi.stubGlobal('location', location);
  vi.stubGlobal('addEventListener', (_: string, listener: () => void) => listeners.push(listener));
  vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => undefined }));
  ({ view } = await import('../src/app.tsx'));
  return () => vi.unstubAllGlobals();
});

/** The view once the address ends so. */
function viewAt(hash: string): string {
  location.hash = hash;
  for (const listener of listeners) listener();
  return view.value;
}

test('an address without a known view leads to the photos, at the start and later', () => {
  expect(view.value).toBe('photos');
  expect(
    ['#camera', '#constructor', '#people', '#compare', '#__proto__', '#Camera', '', '#photos'].map(viewAt),
  ).toEqual(['camera', 'photos', 'people', 'compare', 'photos', 'photos', 'photos', 'photos']);
});
