/** Generates bench/README.md from the results, as every benchmark does at its end: `npx tsx bench/readme.ts`. */
import { writeBenchReadme } from './support/bench-readme.ts';

writeBenchReadme();
