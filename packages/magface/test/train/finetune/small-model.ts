/** A recogniser of three layers as a file, whose finetuning takes a second. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { floatTensor, type OnnxTensor } from '../../../src/graph/onnx/tensor.ts';
import { openGraph } from '../../../src/graph/torch/open-graph.ts';
import { officialInput, type RecogniserContract } from '../../../src/models/contract.ts';
import { writeGraph } from '../../../src/train/model/write-graph.ts';
import { onnxModel } from '../../support/small-graph.ts';
import { u01 } from '../golden.ts';
import { temporaryFolder } from '../small-set.ts';

const weight = (name: string, ...dims: number[]): OnnxTensor => {
  const count = dims.reduce((a, b) => a * b, 1);
  return floatTensor(
    dims,
    u01(name, count).map((value) => value - 0.5),
  );
};

const contract: RecogniserContract = {
  kind: 'recogniser',
  input: officialInput,
  template: 'arcface-112',
  embeddingLength: 8,
  calibration: { centre: 3, width: 0.2, source: 'a test' },
};

/** A stem, a body and a head. @returns the file */
export function smallModel(): string {
  const bytes = onnxModel(
    [
      { op: 'Conv', inputs: ['faces', 'stem.weight'], output: 'stem', ints: { strides: [16, 16] } },
      { op: 'PRelu', inputs: ['stem', 'stem.slope'], output: 'active' },
      { op: 'Conv', inputs: ['active', 'body.weight'], output: 'body', ints: { strides: [2, 2] } },
      { op: 'Flatten', inputs: ['body'], output: 'flat' },
      { op: 'Gemm', inputs: ['flat', 'head.weight', 'head.bias'], output: 'features' },
    ],
    {
      stored: {
        'stem.weight': weight('stem', 6, 3, 16, 16),
        'stem.slope': weight('slope', 6, 1, 1),
        'body.weight': weight('body', 6, 6, 3, 3),
        'head.weight': weight('head', 54, 8),
        'head.bias': weight('bias', 8),
      },
    },
  );
  const file = join(temporaryFolder(), 'start.onnx');
  writeFileSync(file, writeGraph(openGraph(bytes, file), contract));
  return file;
}
