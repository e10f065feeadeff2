import { expect, test } from 'vitest';
import { observe } from '../../src/convert/observe.ts';
import { sensitiveLayers } from '../../src/convert/sensitive-layers.ts';
import { parseOnnx } from '../../src/graph/onnx/file.ts';
import type { ActivationRange } from '../../src/graph/passes/quantize.ts';
import { planQuantization } from '../../src/graph/passes/quantize.ts';
import { node, onnxGraph, wave } from '../support/onnx-graphs.ts';

const chain = Array.from({ length: 9 }, (_, i) => `c${i}`);
const same = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };

/** Nine convolutions of eight channels in a row. */
const network = () =>
  parseOnnx(
    onnxGraph({
      nodes: [
        node('Conv input w0 -> c0', { ...same, strides: [4, 4] }),
        ...chain.slice(1).map((name, i) => node(`Conv c${i} w${i + 1} -> ${name}`, same)),
        node('AveragePool c8 -> pooled', { kernel_shape: [14, 14], strides: [14, 14] }),
        node('Flatten pooled -> output'),
      ],
      weights: Object.fromEntries(chain.map((_, i) => [`w${i}`, wave([8, i === 0 ? 3 : 8, 3, 3], 0.25)])),
      ...{ input: [1, 3, 112, 112], output: [1, 32], opset: 17 },
    }),
    'chain',
  );

const faces = Array.from({ length: 3 }, (_, face) =>
  Float32Array.from({ length: 3 * 112 * 112 }, (_, i) => Math.sin(i / (20 + 7 * face) + face)),
);
const options = { name: 'chain', faces, dims: [1, 3, 112, 112], threads: 1 };

/** What each value needs, but `coarse` a hundred times as much, so that its eight bits tell little. */
async function ranges(coarse: string): Promise<Map<string, ActivationRange>> {
  const found = new Map<string, ActivationRange>();
  const look = (name: string, values: Float32Array): void => {
    const most = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0) * (name === coarse ? 100 : 1);
    found.set(name, { low: -most, high: most });
  };
  const { values } = planQuantization(network(), { file: 'chain', keepFloat: new Set() });
  await observe(network(), values, [look], options);
  return found;
}

test('keeps the layers around a value that eight bits cannot hold in float, and few others', async () => {
  const model = network();
  const kept = await sensitiveLayers(model, new Set(['c0']), await ranges('c5'), options);
  expect([...kept]).toEqual(expect.arrayContaining(['c0', 'c5', 'c6']));
  expect(kept.size).toBe(1 + 4);
  expect(model.graph!.node.map(({ opType }) => opType)).toEqual(network().graph!.node.map(({ opType }) => opType));
});

test('keeps only the named layers in float if all are close enough', async () => {
  const all = chain.slice(0, 8);
  expect(await sensitiveLayers(network(), new Set(all), await ranges('none'), options)).toEqual(new Set(all));
});
