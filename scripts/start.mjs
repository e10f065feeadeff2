/**
 * `npm start`: the quality of every face in the sample photos, as a table and as magface-report.html.
 * `npm start -- PATH...` takes one's own photos, and any flag of `magface quality`.
 */
import { root, run, setUp } from './set-up.mjs';

setUp();
const given = process.argv.slice(2);
const hasInput = given.some((word) => !word.startsWith('-'));
const samples = [1, 2, 3, 4, 5, 6].map((n) => `node_modules/@vladmandic/face-api/demo/sample${n}.jpg`);
const report = given.some((word) => word.startsWith('--report')) ? [] : ['--report', 'magface-report.html'];
const words = ['quality', ...given, ...(hasInput ? [] : samples), ...report];
// A person's paths are relative to where the command was typed, which npm hides in INIT_CWD.
const cwd = hasInput ? (process.env.INIT_CWD ?? root) : root;
run(process.execPath, [`${root}/packages/magface/dist/cli/main.js`, ...words], { cwd, shell: false });
