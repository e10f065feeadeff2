import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRecordWriter } from '../../src/format/record-file.ts';
import { writeSafetensors } from '../../src/format/safetensors.ts';
import { countOf, float32Tensor } from '../../src/format/tensor.ts';
import { writeTorch } from '../../src/format/torch-writer.ts';
import { architecture } from '../../src/graph/networks/architectures.ts';
import { summarizeOnnx } from '../../src/graph/onnx/file.ts';
import { writeCheckpoint } from '../../src/train/loop/checkpoint-file.ts';
import { tinyOnnx } from '../support/tiny-onnx.ts';
import { emptyFolder, runCli } from './run-cli.ts';

test('weights keep their names, and the result is one JSON document', async () => {
  const cwd = emptyFolder();
  await writeTorch(join(cwd, 'a.pth'), { state_dict: new Map([['w', float32Tensor([1], Float32Array.of(1))]]) });
  const { exitCode, stdout } = await runCli(['convert', 'a.pth', 'a.safetensors', '--json'], { cwd });
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ input: 'a.pth', output: 'a.safetensors', tensors: 1 });
});

test('train.rec becomes a folder with its list', async () => {
  const cwd = emptyFolder();
  const writer = await createRecordWriter(join(cwd, 'train.rec'));
  await writer.write(1, { labels: [5], id: 1, id2: 0, image: Buffer.from([0xff, 0xd8]) });
  await writer.close();
  const { exitCode, stdout } = await runCli(['convert', 'train.rec', 'faces'], { cwd });
  expect([exitCode, stdout]).toEqual([0, '1 images in faces\n']);
  expect(readFileSync(join(cwd, 'faces/train.list'), 'utf8')).toBe('00000/1.jpg 0 0 0\n');
});

test('a pickle that would run code exits with 2 and is named', async () => {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'evil.pth'), '\x80\x02cos\nsystem\n.', 'latin1');
  const { exitCode, stderr } = await runCli(['convert', 'evil.pth', 'a.safetensors'], { cwd });
  expect(exitCode).toBe(2);
  expect(stderr).toContain("Python's os.system, which could run code");
});

test('a note warns about the pixel format of foreign weights, but not of our own checkpoints', async () => {
  const cwd = emptyFolder();
  const shapes = architecture('mobilefacenet', 32).tensors.map(
    ({ name, shape }) => [`features.${name}`, shape] as const,
  );
  const tensors = new Map(
    shapes.map(([name, shape]) => [name, float32Tensor(shape, new Float32Array(countOf(shape)).fill(0.01))]),
  );
  await writeCheckpoint(join(cwd, 'own.safetensors'), {
    tensors,
    state: { arch: 'mobilefacenet', embeddingLength: 32 },
  });
  await writeSafetensors(join(cwd, 'foreign.safetensors'), tensors, {});
  const own = await runCli(['convert', 'own.safetensors', 'own.onnx'], { cwd });
  const foreign = await runCli(['convert', 'foreign.safetensors', 'foreign.onnx'], { cwd });
  expect([own.exitCode, foreign.exitCode]).toEqual([0, 0]);
  expect(own.stderr).not.toContain('pixels');
  expect(foreign.stderr).toContain('The weights do not define the pixel format: assumed BGR / 255');
});

test('a model without a record gets one, and a dynamic batch size', async () => {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'in.onnx'), tinyOnnx());
  writeFileSync(
    join(cwd, 'record.yaml'),
    'input: {width: 112, height: 112, channelOrder: RGB, mean: [127.5, 127.5, 127.5], scale: [0.01, 0.01, 0.01]}',
  );
  const words = ['convert', 'in.onnx', 'out.onnx', '--describe', 'record.yaml', '--json'];
  const { exitCode, stdout } = await runCli(words, { cwd });
  expect(exitCode).toBe(0);
  const bytes = readFileSync(join(cwd, 'out.onnx'));
  expect(JSON.parse(stdout)).toEqual({
    input: 'in.onnx',
    output: 'out.onnx',
    tensors: 1,
    dtype: 'fp32',
    bytes: bytes.length,
    batch: 'freed',
  });
  const { metadata, inputs } = summarizeOnnx(bytes, 'out.onnx');
  expect(JSON.parse(metadata.get('magface.input')!)).toMatchObject({ channelOrder: 'RGB', scale: [0.01, 0.01, 0.01] });
  expect(inputs[0]!.dims).toEqual(['N', 3, 112, 112]);
});

test.each([
  [['in.onnx', 'out.pth'], /an output that ends in \.onnx for a model but received out\.pth/],
  [['a.pth', 'b.safetensors', '--dtype', 'fp16'], /--dtype with an output that ends in \.onnx/],
  [['in.onnx', 'out.onnx', '--dtype', 'int8'], /Expected --faces with aligned faces/],
  [['in.onnx', 'out.onnx', '--arch', 'iresnet50'], /no --arch for an ONNX model/],
  [['in.onnx', 'out.onnx', '--describe', 'none.json'], /none\.json but it cannot be read/],
  [['in.onnx', 'out.onnx', '--describe', 'broken.json'], /JSON or YAML in .*broken\.json but it cannot be parsed \(/],
])('%j is rejected in one sentence', async (words, message) => {
  const cwd = emptyFolder();
  writeFileSync(join(cwd, 'in.onnx'), tinyOnnx());
  writeFileSync(join(cwd, 'broken.json'), '{"input": [');
  const { exitCode, stderr } = await runCli(['convert', ...words], { cwd });
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(message);
});
