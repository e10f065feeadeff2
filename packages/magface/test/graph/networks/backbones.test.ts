/** Every built-in network beside what its authors publish: counts, and the names and shapes of their tensors. */
import { describe, expect, test } from 'vitest';
import { architecture, architectureNames } from '../../../src/graph/networks/architectures.ts';
import { agrees, flopsOf, parametersOf, publishedNetworks } from '../../support/backbone-page.ts';

test('the table has every network', () => {
  expect(publishedNetworks.map(({ name }) => name).sort()).toEqual([...architectureNames].sort());
});

const counted = publishedNetworks.filter(({ parameters }) => parameters !== undefined);

test.each(counted)(
  '$name has the published $parameters million parameters',
  ({ name, length, parameters, weights }) => {
    const ours = parametersOf(architecture(name, length), weights) / 1e6;
    expect({ ours, agrees: agrees(ours, parameters!) }).toEqual({ ours, agrees: true });
  },
);

const measured = publishedNetworks.filter(({ flops }) => flops !== undefined);

test.each(measured)('$name has the published $flops million FLOPs, within 0.5 %', (published) => {
  const ours = flopsOf(architecture(published.name, published.length), published.counts!) / 1e6;
  const isExact = agrees(ours, published.flops!);
  expect({ ours, isClose: isExact || Math.abs(ours / Number(published.flops) - 1) < 0.005 }).toEqual({
    ours,
    isClose: true,
  });
});

describe('names and shapes', () => {
  const shapesOf = (name: string, length = 512): Record<string, readonly number[]> =>
    Object.fromEntries(architecture(name, length).tensors.map((tensor) => [tensor.name, tensor.shape]));

  test('IR-SE’s are those of model_irse.py', () => {
    const shapes = shapesOf('irse50');
    expect(shapes).toMatchObject({
      'input_layer.0.weight': [64, 3, 3, 3],
      'input_layer.2.weight': [64],
      'body.0.res_layer.5.fc1.weight': [4, 64, 1, 1],
      'body.0.res_layer.5.fc2.weight': [64, 4, 1, 1],
      'body.3.shortcut_layer.0.weight': [128, 64, 1, 1],
      'body.23.res_layer.4.running_var': [512],
      'output_layer.3.weight': [512, 25088],
      'output_layer.4.bias': [512],
    });
    expect(shapes['body.0.shortcut_layer.0.weight']).toBeUndefined(); // a pooling
    expect(shapes['body.24.res_layer.0.weight']).toBeUndefined();
  });

  test('EdgeFace’s are those of timm’s edgenext', () => {
    const shapes = shapesOf('edgeface-xs-gamma-06');
    expect(shapes).toMatchObject({
      'stem.0.weight': [32, 3, 4, 4],
      'stem.1.bias': [32],
      'stages.0.blocks.0.conv_dw.weight': [32, 1, 3, 3],
      'stages.0.blocks.0.mlp.fc1.linear1.weight': [19, 32],
      'stages.0.blocks.0.mlp.fc1.linear2.weight': [128, 19],
      'stages.0.blocks.2.gamma': [32],
      'stages.1.downsample.0.weight': [32],
      'stages.1.downsample.1.weight': [64, 32, 2, 2],
      'stages.1.blocks.2.convs.0.weight': [32, 1, 3, 3],
      'stages.1.blocks.2.pos_embd.token_projection.weight': [64, 64, 1, 1],
      'stages.1.blocks.2.norm_xca.weight': [64],
      'stages.1.blocks.2.gamma_xca': [64],
      'stages.1.blocks.2.xca.temperature': [4, 1, 1],
      'stages.1.blocks.2.xca.qkv.linear2.bias': [192],
      'stages.1.blocks.2.xca.proj.linear1.weight': [38, 64],
      'stages.2.blocks.8.convs.1.weight': [34, 1, 3, 3],
      'stages.3.blocks.2.convs.2.bias': [48],
      'head.norm.weight': [192],
      'head.fc.linear1.weight': [115, 192],
      'head.fc.linear2.weight': [512, 115],
    });
    expect(Object.keys(shapes).some((name) => /stages\.0\..*xca|stages\.2\..*pos_embd/.test(name))).toBe(false);
  });

  test('the Vision Transformer’s are those of arcface_torch', () => {
    expect(shapesOf('vit-t')).toMatchObject({
      pos_embed: [1, 144, 256],
      'patch_embed.proj.weight': [256, 3, 9, 9],
      'patch_embed.proj.bias': [256],
      'blocks.11.norm1.weight': [256],
      'blocks.11.attn.qkv.weight': [768, 256],
      'blocks.11.attn.proj.bias': [256],
      'blocks.11.mlp.fc1.weight': [1024, 256],
      'norm.bias': [256],
      'feature.0.weight': [256, 36864],
      'feature.1.running_mean': [256],
      'feature.2.weight': [512, 256],
      'feature.3.weight': [512],
    });
    expect(shapesOf('vit-t')['blocks.0.attn.qkv.bias']).toBeUndefined();
  });

  test('InsightFace’s MobileFaceNet, PocketNet and MixFaceNet have the names of their code', () => {
    expect(shapesOf('mbf')).toMatchObject({
      'layers.0.layers.0.weight': [128, 3, 3, 3],
      'layers.1.layers.0.weight': [128, 2, 3, 3],
      'layers.2.layers.1.layers.2.weight': [128],
      'layers.3.layers.3.layers.2.layers.1.running_mean': [128],
      'conv_sep.layers.0.weight': [512, 256, 1, 1],
      'features.layers.2.weight': [512, 512],
    });
    expect(shapesOf('pocketnet-m-256', 256)).toMatchObject({
      'stem.0.weight': [128, 3, 3, 3],
      'cells.3.dag.2.0.bn.weight': [64],
      'cells.4.preproc0.conv21.weight': [128, 1, 1, 1],
      'cells.4.preproc1.net.2.weight': [64, 256, 1, 1],
      'tail.6.weight': [256, 512, 1, 1],
    });
    expect(shapesOf('mixfacenet-s')).toMatchObject({
      'features.init_block.conv1.conv.weight': [16, 3, 3, 3],
      'features.stage1.unit1.exp_conv.conv.1.weight': [48, 8, 1, 1],
      'features.stage2.unit1.conv1.conv.2.weight': [48, 1, 7, 7],
      'features.stage2.unit1.se.conv1.bias': [12],
      'feautre_layer.pw_conv.conv.weight': [512, 1024, 1, 1],
      'features_norm.running_var': [512],
    });
  });
});
