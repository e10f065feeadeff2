/** `npm run api`: updates the inventory of public names after an intended change. Review the diff before committing. */
import { existsSync, writeFileSync } from 'node:fs';
import { apiOf, entryPoints } from '../packages/magface/test/support/api-inventory.ts';

const built = Object.entries(entryPoints).filter(([, entry]) => existsSync(entry));
const inventory = Object.fromEntries(built.map(([name, entry]) => [name, apiOf(entry)]));
writeFileSync(new URL('../packages/magface/api.json', import.meta.url), `${JSON.stringify(inventory, null, 2)}\n`);
