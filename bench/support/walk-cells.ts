/** The environments of newcomers and what they type: the README's commands, with their own files. */

/** A command and its expected result. */
export interface Step {
  readonly line: string;
  /** Exit code. @default 0 */
  readonly ends?: number;
  /** Expected text on stdout or stderr. */
  readonly says?: RegExp;
}

/** One newcomer. */
export interface Cell {
  readonly name: string;
  /** Folder of the clone. @default 'magface' */
  readonly folder?: string;
  /** The cell whose clone is reused. @default a new clone */
  readonly goesOnFrom?: string;
  /** An npm package with the Node.js to use. @default the present one */
  readonly node?: string;
  /** Commands missing from PATH. */
  readonly without?: readonly string[];
  /** No network. @default false */
  readonly noNetwork?: boolean;
  /** Run as a user other than root. @default false */
  readonly notRoot?: boolean;
  readonly steps: readonly Step[];
}

const samples = 'node_modules/@vladmandic/face-api/demo/sample*.jpg';
const start: Step = { line: 'npm start', says: /sample6\.jpg.*Report: magface-report\.html/s };
const quality: Step = { line: 'npx magface quality photos/ --report report.html --best 10 --copy-to best/' };
const photos: readonly Step[] = [
  { line: 'npx magface --help', says: /COMMAND/ },
  { line: `mkdir photos && cp ${samples} photos/` },
];
/** Two folders of faces; identities do not matter here. */
const faces: readonly Step[] = [
  { line: 'npx magface align photos/ --output aligned/' },
  { line: 'mkdir -p faces/ann faces/bob && cp aligned/*_[02].png faces/ann && cp aligned/*_[13].png faces/bob' },
];
const brief = '--batch-size 4 --epochs 1 --threads 1';
const train = `npx magface train --train-list faces/ --arch iresnet18 ${brief}`;
const buildTorch: Step = { line: 'npm run build:torch', says: /is ready: compiled against libtorch/ };

/** Starts the service, requests the page, the API description and the faces of a photo, and stops it with SIGINT. */
const serve: Step = {
  line:
    'set -m; npx magface serve --port 8199 & sleep 8; for path in "" docs openapi.json healthz; do ' +
    'curl -sfL -o /dev/null -w "%{http_code} " http://127.0.0.1:8199/$path; done; ' +
    'curl -sf -F image=@photos/sample1.jpg http://127.0.0.1:8199/v1/faces; kill -INT -- -$!; wait',
  says: /200 200 200 200 .*"magnitude"/s,
};

export const cells: readonly Cell[] = [
  {
    name: 'clean',
    steps: [
      start,
      ...photos,
      quality,
      serve,
      ...faces,
      buildTorch,
      { line: `${train} --precision bf16 --output run1` },
      { line: 'cp packages/magface/models/magface-small.onnx recogniser.onnx' },
      { line: `npx magface train --init recogniser.onnx --train-list faces/ --output finetuned ${brief}` },
      {
        line:
          'for i in 1 2 3 4 5 6; do for j in 1 2 3 4 5 6; do echo "ann/sample"$i"_0.png bob/sample"$j"_1.png 0"; done; ' +
          'echo "ann/sample"$i"_0.png ann/sample"$i"_2.png 1"; done > pairs.txt',
      },
      {
        line:
          'npx magface evaluate set faces/ --pairs pairs.txt --folds 2 --aligned --model finetuned/model.onnx ' +
          '--report lfw.html',
      },
      { line: 'npx magface doctor', says: /libtorch|@magface\/torch/ },
      { line: 'npx magface models list', says: /magface-small/ },
    ],
  },
  {
    name: 'without a network, after that',
    goesOnFrom: 'clean',
    noNetwork: true,
    steps: [
      { line: 'npm start -- --offline', says: start.says! },
      { line: 'npx magface quality photos/ --offline' },
      { line: 'npx magface models pull yunet --offline', ends: 2, says: /offline/ },
    ],
  },
  {
    name: 'from packed packages',
    goesOnFrom: 'clean',
    steps: [
      { line: 'mkdir ../project && npm pack ./packages/magface --pack-destination ../project' },
      { line: 'cd ../project && npm init -y && npm install ./magface-*.tgz' },
      { line: 'cd ../project && npx magface quality ../magface/photos/', says: /sample6/ },
      {
        line: 'cd ../project && npx magface train --train-list ../magface/faces --output run',
        ends: 2,
        says: /@magface\/torch/,
      },
    ],
  },
  {
    name: 'without a compiler',
    without: ['g++', 'gcc', 'cc', 'c++', 'clang', 'clang++', 'cmake', 'make'],
    steps: [
      start,
      ...photos,
      quality,
      ...faces,
      { line: 'npm run build:torch', ends: 2, says: /needs cmake and a C\+\+20 compiler/ },
      { line: `${train} --output run1`, ends: 2, says: /magface-torch/ },
      { line: 'npx magface doctor', says: /compiled addon of @magface\/torch: run npx magface-torch/ },
    ],
  },
  {
    name: 'not root',
    notRoot: true,
    steps: [start, ...photos, quality, ...faces, buildTorch, { line: `${train} --output run1` }],
  },
  {
    name: 'a path with a space and an umlaut',
    folder: 'Für Gesichter',
    steps: [
      start,
      ...photos,
      quality,
      ...faces,
      buildTorch,
      { line: `${train} --output 'ein Lauf'` },
      { line: `${train} --nproc 2 --output 'zwei Läufe'` },
    ],
  },
  ...['node@22', 'node@24'].map((node) => ({
    name: node,
    node,
    steps: [start, ...photos, quality, ...faces, buildTorch, { line: `${train} --output run1` }],
  })),
];
