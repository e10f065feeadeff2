/** Runs commands in this process against a recogniser that needs no model: faces are told by the image's name. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { afterAll } from 'vitest';
import { alignmentMatrix, template } from '../../src/align.ts';
import type { Context } from '../../src/cli/context.ts';
import type { ExitCode } from '../../src/cli/errors.ts';
import { runProgram } from '../../src/cli/program.ts';
import type { Recogniser, Services } from '../../src/cli/services.ts';
import type { MagfaceError } from '../../src/errors.ts';
import { ImageError } from '../../src/errors.ts';
import type { AnalyzedFace } from '../../src/face.ts';
import { readAligned, readImage } from '../../src/infer/node/read-image.ts';
import type { ModelKind } from '../../src/models/contract.ts';
import type { LoadedModel } from '../../src/models/load-model.ts';
import { blankPixels, type Pixels } from '../../src/pixels.ts';
import { magnitudeOf, qualityScore } from '../../src/quality.ts';

export interface CliRun {
  readonly exitCode: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliSetting {
  readonly cwd?: string;
  readonly env?: Context['env'];
  readonly stdin?: string;
  readonly services?: Partial<Services>;
  readonly signal?: AbortSignal;
  readonly terminal?: boolean;
}

export async function runCli(words: readonly string[], setting: CliSetting = {}): Promise<CliRun> {
  const [stdout, stderr] = [textSink(setting.terminal), textSink(setting.terminal)];
  const context: Context = {
    stdin: Readable.from([Buffer.from(setting.stdin ?? '')]),
    stdout: stdout.stream,
    stderr: stderr.stream,
    env: setting.env ?? {},
    signal: setting.signal ?? new AbortController().signal,
    services: { ...fakeServices(), ...setting.services },
  };
  const before = process.cwd();
  process.chdir(setting.cwd ?? emptyFolder());
  try {
    const exitCode = await runProgram(words, context);
    return { exitCode, stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    process.chdir(before);
  }
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A folder whose path is awkward, there until the file's tests are over. */
export function emptyFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'magface cli ü '));
  folders.push(folder);
  return folder;
}

/** A stream of 80 columns that keeps what it is told. */
export function textSink(isTTY = false) {
  const parts: string[] = [];
  const stream = new Writable({
    write(part: Buffer, _encoding, done) {
      parts.push(part.toString());
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY, columns: 80 }), text: () => parts.join('') };
}

export const calibration = { centre: 5, width: 1, source: 'made up' };

/** One that is interrupted when its first image is done, and the signal that says so. */
export function interruptedRecogniser(): { readonly recogniser: Recogniser; readonly signal: AbortSignal } {
  const interrupt = new AbortController();
  const recogniser = fakeRecogniser();
  const stream: Recogniser['stream'] = async function* (inputs, options) {
    for await (const done of recogniser.stream(inputs, options)) {
      yield done;
      interrupt.abort();
    }
  };
  return { recogniser: { ...recogniser, stream }, signal: interrupt.signal };
}

/** `no-face` in the name means none, `two` means two, everything else one; bigger pictures are better faces. */
export function fakeRecogniser(contract: Record<string, unknown> = {}): Recogniser {
  const model = {
    name: 'fake',
    digest: '0'.repeat(64),
    bytes: new Uint8Array(3),
    assumed: [],
    contract: { kind: 'recogniser', embeddingLength: 2, calibration, ...contract },
  };
  const fake = {
    model,
    detector: undefined,
    /** One file named thousands of times is read once, so that such a test takes no time. */
    async *stream(inputs: Iterable<string>, options: { aligned?: boolean; flip?: boolean; signal?: AbortSignal }) {
      let index = 0;
      const known = new Map<string, Promise<Pixels | MagfaceError>>();
      for (const input of inputs) {
        options.signal?.throwIfAborted();
        const reader = options.aligned ? readAligned : readImage;
        const reading = known.get(input) ?? reader(input).catch((error: MagfaceError) => error);
        known.set(input, reading);
        const read = await reading;
        if (read instanceof ImageError) yield { input, index: index++, error: read };
        else if (read instanceof Error) throw read;
        else {
          const image = { width: read.width, height: read.height };
          const count = /no-face/.test(input) ? 0 : /two/.test(input) ? 2 : 1;
          const faces = Array.from({ length: count }, (_, at) => face(read.width / 10 - at, options.flip === true));
          yield { input, index: index++, image, faces };
        }
      }
    },
    detect: async () => [],
    [Symbol.asyncDispose]: async () => undefined,
  };
  return fake as unknown as Recogniser;
}

function face(length: number, flip: boolean): AnalyzedFace {
  const embedding = Float32Array.of(0, flip ? 2 * length : length);
  const magnitude = magnitudeOf(embedding);
  const quality = qualityScore(magnitude, calibration);
  const box = { x: 1, y: 2, width: 30, height: 40 };
  const reasons = [{ code: 'blurred' as const, value: 3.2 }];
  const crop = blankPixels(112, 112);
  const place = { box, landmarks: template, mouth: 'corners', alignment: alignmentMatrix(template) } as const;
  const image = { width: 320, height: 240 };
  return { ...place, detection: 0.9, crop, image, embedding, magnitude, quality, reasons, estimates: [] };
}

function fakeServices(): Services {
  return {
    load: async () => fakeRecogniser(),
    loadModel: async <Kind extends ModelKind>() => fakeRecogniser().model as unknown as LoadedModel<Kind>,
    listModels: async () => [
      { id: 'tiny', kind: 'recogniser', cached: true, licence: 'MIT', description: 'a tiny one', source: null },
      {
        id: 'big',
        kind: 'detector',
        cached: false,
        licence: 'Apache-2.0',
        description: 'a big one',
        source: 'npm:big@1.0.0/big.onnx',
      },
    ],
    createFeatureWriter: async (path, options) =>
      (await import('../../src/format/feature-writer.ts')).createFeatureWriter(path, options),
    qualityReport: async (data) => JSON.stringify(data),
  };
}
