/// <reference lib="dom" />
/// <reference lib="dom.iterable" />
/** The library on a page of its own, for tests that call it from outside. */
import * as browser from '../../../src/browser/index.ts';
import { seen } from '../seen-face.ts';

const library = { ...browser, seen };
export type Library = typeof library;

Object.assign(globalThis, { library });
