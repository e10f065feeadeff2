import { expect, test } from 'vitest';
import { architecture } from '../../../src/graph/networks/architectures.ts';
import { networkCost } from '../../../src/graph/networks/network-cost.ts';
import { type PlanOptions, plan } from '../../../src/train/parallel/plan.ts';

const of = (more: Partial<PlanOptions> = {}) =>
  plan({ architecture: architecture('iresnet100'), classes: 2_000_000, ranks: 64, batch: 512, ...more });

test('counts parameters and operations of a network from its layers, as published', () => {
  expect(networkCost(architecture('iresnet18')).parameters).toBe(24_025_600);
  expect(networkCost(architecture('iresnet100')).parameters).toBe(65_156_160);
  // 12.1 · 10⁹ multiply-adds for iResNet-100, as InsightFace's table has it
  expect(networkCost(architecture('iresnet100')).operations / 2e9).toBeCloseTo(12.1, 1);
});

test('predicts the memory of 2,000,000 classes on 64 ranks', () => {
  const { memory } = of();
  expect(memory.backbone).toBe(16 * 65_156_160);
  expect(memory.centers).toBe(2 * 4 * 512 * 31_250);
  expect(memory.centerWork).toBe(4 * 4 * 512 * 31_250);
  expect(memory.logits).toBe(7 * 4 * 512 * 31_250);
  const { total, ...parts } = memory;
  expect(total).toBe(Object.values(parts).reduce((a, b) => a + b));
});

test('AdamW keeps two means per parameter, also for the copies of sampled centers', () => {
  const [sgd, adamw, sampled] = [of(), of({ optimizer: 'adamw' }), of({ optimizer: 'adamw', sampleRate: 0.1 })];
  expect(adamw.memory.backbone - sgd.memory.backbone).toBe(4 * 65_156_160);
  expect(adamw.memory.centers - sgd.memory.centers).toBe(4 * 512 * 31_250);
  expect(adamw.memory.centerWork).toBe(sgd.memory.centerWork);
  expect(sampled.memory.centerWork).toBe(7 * 4 * 512 * 3125);
});

test('traffic is independent of classes, zero for one rank, and bounded for many', () => {
  expect(of({ classes: 10_000_000 }).traffic).toEqual(of().traffic);
  expect(of({ ranks: 1 }).traffic.total).toBe(0);
  expect(of({ ranks: 2 }).traffic.gradients).toBe(4 * 65_156_160);
  expect(of({ ranks: 64 }).traffic.gradients).toBe((2 * 4 * 65_156_160 * 63) / 64);
});

test('a tenth of the classes takes a tenth of the logits and of their time', () => {
  const [full, tenth] = [of(), of({ sampleRate: 0.1 })];
  expect(tenth.memory.logits).toBe(full.memory.logits / 10);
  expect(tenth.memory.centers).toBe(full.memory.centers);
  expect(tenth.time.head).toBeCloseTo(full.time.head / 10, 12);
});
