/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The library on a page of its own, for tests that call it from outside. */
import * as browser from '../../../src/browser/index.ts';
import { openClip } from '../../../src/browser/open-clip.ts';
import { seen } from '../seen-face.ts';

export type Library = typeof browser & { readonly seen: typeof seen; readonly openClip: typeof openClip };

const library: Library = { ...browser, seen, openClip };
Object.assign(globalThis, { library });
