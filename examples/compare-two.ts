/** Compares the largest faces of two photos. Run: npx tsx -C magface:source examples/compare-two.ts A B */
import { compare, MagFace } from 'magface';

const [a, b] = process.argv.slice(2);
if (a === undefined || b === undefined) throw new Error('Expected two photos: compare-two.ts A B');

await using magface = await MagFace.load();
const [first] = await magface.analyze(a); // the largest face comes first
const [second] = await magface.analyze(b);
if (first === undefined || second === undefined) throw new Error('Expected a face in both photos.');
console.log(`similarity ${compare(first.embedding, second.embedding).toFixed(4)}`);
