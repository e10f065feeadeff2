import { expect, test } from 'vitest';
import { parseSource } from '../../src/models/source.ts';

test('distinguishes the kinds of names', () => {
  expect(parseSource('models/a b.onnx')).toEqual({ kind: 'path', path: 'models/a b.onnx' });
  expect(parseSource('https://example.org/m.onnx')).toEqual({ kind: 'https', url: 'https://example.org/m.onnx' });
  expect(parseSource('npm:face@0.0.1/model/fr.onnx')).toEqual({
    kind: 'npm',
    spec: 'face@0.0.1',
    file: 'model/fr.onnx',
  });
  expect(parseSource('npm:@a/b@1.2.3/m.onnx')).toEqual({ kind: 'npm', spec: '@a/b@1.2.3', file: 'm.onnx' });
});

test.each(['npm:face', 'npm:face@1', 'http://example.org/m.onnx', 'ftp://example.org/m.onnx'])('rejects %s', (name) => {
  expect(() => parseSource(name)).toThrow(/Expected (an https: address|npm:NAME@VERSION)/);
});
