/** `npm run docs`: generates the pages of docs/ that come from the sources. */
import { writeFileSync } from 'node:fs';
import { backbonesPage } from '../packages/magface/test/support/backbone-page.ts';
import { cliPage, errorsPage, settingsPage } from '../packages/magface/test/support/reference-docs.ts';

const page = (name: string): URL => new URL(`../docs/${name}.md`, import.meta.url);
writeFileSync(page('backbones'), backbonesPage());
writeFileSync(page('cli'), await cliPage());
writeFileSync(page('errors'), errorsPage());
writeFileSync(page('settings'), await settingsPage());
