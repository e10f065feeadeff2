import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FormatError } from '../../src/errors.ts';
import { bytesSource } from '../../src/format/byte-source.ts';
import { expectOfficialNames, officialNames } from '../../src/format/official-names.ts';
import { readSgdState } from '../../src/format/official-optimizer.ts';
import { type Dtype, dtypeBits, float32Tensor, type Tensor, toFloat32 } from '../../src/format/tensor.ts';
import { openTorch } from '../../src/format/torch-file.ts';
import { writeTorch } from '../../src/format/torch-writer.ts';
import { fixtureFile } from '../support/fixtures.ts';
import { legacyFile, storage, tensorOf } from '../support/legacy-torch.ts';
import { u01 } from '../train/golden.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'torch-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const vector = (...values: number[]): Tensor => float32Tensor([values.length], Float32Array.from(values));

describe('openTorch', () => {
  test('reads every type, nested dicts, lists and an optimizer state', async () => {
    const types = Object.keys(dtypeBits)
      .filter((dtype) => !/^(F[468]|U(16|32|64))/.test(dtype))
      .concat('F64') as Dtype[];
    const tensors = new Map(
      types.map((dtype, i) => [
        dtype,
        { dtype, shape: [3], bytes: new Uint8Array((3 * dtypeBits[dtype]) / 8).fill(i) },
      ]),
    );
    const value = {
      epoch: 3,
      names: ['a', null, true, -1.5, 2n ** 60n],
      state_dict: tensors,
      optimizer: { state: { 0: { momentum_buffer: vector(1, 2) } }, param_groups: [{ params: [0] }] },
    };
    const file = join(folder, 'all.pth');
    await writeTorch(file, value);
    const read = await openTorch(file);
    for (const [name, tensor] of tensors) {
      const found = await read.read(`state_dict.${name}`);
      expect({ ...found, bytes: Uint8Array.from(found.bytes) }).toEqual(tensor);
    }
    expect(toFloat32(await read.read('optimizer.state.0.momentum_buffer'))).toEqual(Float32Array.of(1, 2));
    const root = read.value as Map<string, unknown>;
    expect([root.get('epoch'), root.get('names')]).toEqual([3, ['a', null, true, -1.5, 2n ** 60n]]);
    await read.close();
  });

  test('reads strided views of one storage in the legacy format', async () => {
    const data = Float32Array.of(0, 1, 2, 3, 4, 5);
    const view = (offset: number, shape: string, strides: string) => tensorOf(storage('7', 6), offset, shape, strides);
    const dict = `}(U\x01t${view(0, 'K\x03K\x02', 'K\x01K\x03')}U\x01r${view(3, 'K\x03', 'K\x01')}U\x01e${view(2, 'K\x04', 'K\x00')}u`;
    const read = await openTorch(bytesSource(legacyFile(dict, [['7', data]])));
    expect([...toFloat32(await read.read('t'))]).toEqual([0, 3, 1, 4, 2, 5]);
    expect([...toFloat32(await read.read('r'))]).toEqual([3, 4, 5]);
    expect([...toFloat32(await read.read('e'))]).toEqual([2, 2, 2, 2]);
  });

  test('reads deflated archives', async () => {
    const file = join(folder, 'stored.pth');
    await writeTorch(file, { w: float32Tensor([1000], new Float32Array(1000).fill(2)) });
    const read = await openTorch(bytesSource(deflated(readFileSync(file))));
    expect(toFloat32(await read.read('w'))).toEqual(new Float32Array(1000).fill(2));
  });

  test.each([
    ['cos\nsystem\n(U\x02lstR', "uses Python's os.system, which could run code"],
    ['c__builtin__\neval\n(U\x011tR', "uses Python's __builtin__.eval"],
    ['cnumpy\nload\n', "uses Python's numpy.load"],
    ['(ios\nsystem\n', "uses Python's os.system"],
    [`}(U\x01t${tensorOf(storage('7', 6), 4, 'K\x03', 'K\x01')}u`, 'inside its storage'],
    ['ctorch\nFloatStorage\n)R', 'the pickle calls torch.FloatStorage'],
    ['](h\x00e', 'memo 0'],
    [`]q\x00(h\x00${tensorOf(storage('7', 6), 0, 'K\x03', 'K\x01')}e`, 'levels deep but it is deeper'],
    ['\xff', 'unknown opcode 255'],
    ['.', 'none'],
  ])('rejects %j with its byte offset', async (data, message) => {
    const open = async (): Promise<void> => {
      const file = await openTorch(bytesSource(legacyFile(data, [['7', new Float32Array(6)]]), 'evil.pth'));
      for (const name of file.tensors.keys()) await file.read(name);
    };
    const error = (await open().catch((reason: unknown) => reason)) as FormatError;
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toContain(message);
    expect(error.file).toBe('evil.pth');
  });
});

/** The same archive with its contents deflated: local headers are rebuilt from the directory. */
function deflated(archive: Buffer): Buffer {
  const [parts, records]: [Buffer[], Buffer[]] = [[], []];
  let offset = 0;
  for (let at = archive.readUInt32LE(archive.length - 6); archive.readUInt32LE(at) === 0x02014b50; ) {
    const nameLength = archive.readUInt16LE(at + 28);
    const record = Buffer.from(archive.subarray(at, at + 46 + nameLength));
    const local = record.readUInt32LE(42);
    const start = local + 30 + nameLength + archive.readUInt16LE(local + 28);
    const packed = deflateRawSync(archive.subarray(start, start + record.readUInt32LE(24)));
    const header = Buffer.from(archive.subarray(local, local + 30 + nameLength));
    for (const [bytes, method, size] of [
      [record, 10, 20],
      [header, 8, 18],
    ] as const) {
      bytes.writeUInt16LE(8, method);
      bytes.writeUInt32LE(packed.length, size);
    }
    header.writeUInt16LE(0, 28);
    record.writeUInt32LE(offset, 42);
    parts.push(header, packed);
    records.push(record);
    offset += header.length + packed.length;
    at += 46 + nameLength;
  }
  const end = Buffer.from(archive.subarray(archive.length - 22));
  end.writeUInt32LE(Buffer.concat(records).length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, ...records, end]);
}

describe('officialNames', () => {
  const backbone = new Map([
    ['conv1.weight', [2]],
    ['fc.weight', [2]],
  ]);
  const file = (names: Record<string, number[]>) =>
    new Map(Object.entries(names).map(([name, shape]) => [name, { dtype: 'F32' as const, shape }]));

  test.each([
    ['state_dict.module.features.', 'state_dict.module.fc.weight', [512, 10], 10],
    ['state_dict.features.module.', 'state_dict.parallel_fc.weight', [10, 512], 10],
    ['features.', 'fc.weight', [512, 10], 10],
    ['', 'other', [512, 10], undefined],
  ])('recognises the layout %j', (prefix, head, shape, classes) => {
    const found = officialNames(
      file({ [`${prefix}conv1.weight`]: [2], [`${prefix}fc.weight`]: [2], [head]: shape }),
      backbone,
    );
    expect([...found.names]).toEqual([
      ['conv1.weight', `${prefix}conv1.weight`],
      ['fc.weight', `${prefix}fc.weight`],
    ]);
    expect(found.missing).toEqual([]);
    expect(found.head?.classes).toBe(classes);
  });

  test('lists missing and surplus tensors, and those of another shape', () => {
    const found = officialNames(file({ 'features.conv1.weight': [3], 'features.x': [1] }), backbone);
    expect(found.missing).toEqual(['fc.weight']);
    expect(found.surplus).toEqual(['features.x']);
    expect(found.otherShape).toEqual([{ name: 'conv1.weight', expected: '(2)', found: '(3)' }]);
    expect(() => expectOfficialNames('f.pth', found)).toThrow(
      'only 0 fit (conv1.weight is (3) instead of (2); fc.weight is missing): try another --arch',
    );
  });
});

describe('files written by PyTorch (fixtures/torch/make.py)', () => {
  test.each([
    ['single_process_legacy', 'state_dict.module.features.', 'state_dict.module.fc.weight', 'DK'],
    ['distributed', 'state_dict.features.module.', 'state_dict.parallel_fc.weight', 'KD'],
  ])(
    '%s: finds all tensors of an iResNet-18 in an official layout under their names',
    async (name, prefix, head, layout) => {
      const file = await openTorch(fixtureFile(`torch/${name}.pth`));
      const backbone = new Map(
        [...file.tensors]
          .filter(([one]) => one.startsWith(prefix))
          .map(([one, { shape }]) => [one.slice(prefix.length), shape]),
      );
      expect(backbone.size).toBe(187);
      const found = expectOfficialNames(name, officialNames(file.tensors, backbone));
      expect(found.head).toEqual({ name: head, layout, classes: 20 });
      const weight = toFloat32(await file.read(found.names.get('layer1.0.bn1.weight')!));
      const u = u01('layer1.0.bn1.weight', 64).map((value) => Math.floor(value * 256) / 256);
      expect(weight.map((value, i) => Math.abs(value - (1 + 0.1 * (u[i]! - 0.5)))).every((gap) => gap < 1e-6)).toBe(
        true,
      );
      const fc = await file.read(found.names.get('fc.weight')!);
      expect(fc.shape).toEqual([512, 25088]);
      await file.close();
    },
  );

  test.each(['types_legacy', 'types'])('%s: reads every type, views of one storage, and an optimizer', async (name) => {
    const file = await openTorch(fixtureFile(`torch/${name}.pth`));
    const read = (one: string): Promise<Tensor> => file.read(`state_dict.${one}`);
    const numbers = async (one: string): Promise<number[]> => [...toFloat32(await read(one))];
    for (const [type, dtype, bytes] of [
      ['float64', 'F64', 8],
      ['float16', 'F16', 2],
      ['bfloat16', 'BF16', 2],
      ['int64', 'I64', 8],
      ['int32', 'I32', 4],
      ['int16', 'I16', 2],
      ['int8', 'I8', 1],
      ['uint8', 'U8', 1],
      ['bool', 'BOOL', 1],
    ] as const) {
      const tensor = await read(type);
      expect(tensor, type).toMatchObject({ dtype, shape: [3] });
      expect(tensor.bytes.length, type).toBe(3 * bytes);
      if (type.includes('float')) expect(await numbers(type), type).toEqual([0, 1, 2]);
    }
    expect([...(await read('int16')).bytes]).toEqual([0, 0, 1, 0, 2, 0]);
    expect([...(await read('bool')).bytes]).toEqual([0, 1, 1]);
    expect((await read('transposed')).shape).toEqual([4, 3]);
    expect(await numbers('grid')).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(await numbers('transposed')).toEqual([0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]);
    expect(await numbers('column')).toEqual([1, 5, 9]);
    expect(await numbers('repeated')).toEqual([3, 3, 3, 3]);
    expect(await numbers('parameter')).toEqual([5]);
    expect((await read('scalar')).shape).toEqual([]);
    expect((await read('empty')).shape).toEqual([0, 3]);
    const root = file.value as Map<string, unknown>;
    expect([root.get('epoch'), root.get('words')]).toEqual([3, ['a', null, true, -1.5, 2n ** 60n, [1, 2]]]);
    // One step of SGD: the gradient i + 1 and the weight decay 5e-4 of a weight of 1.
    const { lr, velocities } = readSgdState(root.get('optimizer'))!;
    expect([lr, velocities.length]).toEqual([0.1, 2]);
    const velocity = toFloat32(await file.read(velocities[1]!));
    expect([...velocity]).toEqual([2.0005, 2.0005, 2.0005].map(Math.fround));
    await file.close();
  });
});
