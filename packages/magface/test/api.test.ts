/** Nothing public changes unseen: `api.json` holds every exported name with its declaration. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { apiOf, entryPoints } from './support/api-inventory.ts';

const inventory = JSON.parse(readFileSync(new URL('../api.json', import.meta.url), 'utf8')) as Record<
  string,
  Record<string, string>
>;

test('api.json has every entry point that is built, and no other', () => {
  const built = Object.keys(entryPoints).filter((name) => existsSync(entryPoints[name] as string));
  expect(Object.keys(inventory).sort()).toEqual(built.sort());
});

test.each(Object.keys(inventory))('%s exports what api.json says (if the change is intended: npm run api)', (name) => {
  expect(apiOf(entryPoints[name] as string)).toEqual(inventory[name]);
});
