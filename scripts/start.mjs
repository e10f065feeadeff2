/**
 * `npm start`: scores every face in the sample photos and writes a table and magface-report.html.
 * `npm start -- PATH...` scores your own photos and takes any flag of `magface quality`.
 */
import { root, run, setUp } from './set-up.mjs';

setUp();
const given = process.argv.slice(2);
const hasInput = given.some((word) => !word.startsWith('-'));
const samples = [1, 2, 3, 4, 5, 6].map((n) => `node_modules/@vladmandic/face-api/demo/sample${n}.jpg`);
const report = given.some((word) => word.startsWith('--report')) ? [] : ['--report', 'magface-report.html'];
const words = ['quality', ...given, ...(hasInput ? [] : samples), ...report];
// Paths are relative to the folder where the command was typed, which npm passes in INIT_CWD.
const cwd = hasInput ? (process.env.INIT_CWD ?? root) : root;
run(process.execPath, [`${root}/packages/magface/dist/cli/main.js`, ...words], { cwd, shell: false });
