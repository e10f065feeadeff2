import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';

/** Left out by `npm run test:quick`: what starts programs, browsers or trainings, or damages files for a long time. */
const slow = [
  'examples/**',
  'packages/*/test/{page,browser,gallery}/**',
  'packages/*/test/train/{parallel,finetune,graph}/**',
  'packages/*/test/train/{cuda,finetune,kill-resume,official-weights,own-loop,training}.test.ts',
  'packages/*/test/train/*/{network,official-checkpoint,onnx-export,run,train-report,trainer}.test.ts',
  'packages/*/test/{cli,serve}/{gallery,people,engine,serve}.test.ts',
  'packages/*/test/{packed,doc-examples,degrade/*,format/mutations,infer/detector}.test.ts',
  'packages/torch/test/{kernels,process-group,leak}.test.ts',
];
const exclude = [...configDefaults.exclude, ...(process.env['MAGFACE_QUICK'] === undefined ? [] : slow)];

/**
 * Test files that change nothing outside themselves share a process, and modules are loaded once for all of them. Not these
 * three: two stand in for a module of Node, one looks at what its process has used so far.
 */
const together = [
  'packages/magface/test/*.test.ts',
  'packages/magface/test/{cli,client,degrade,eval,format,gallery,hosting,infer,machine,models,onnx,report,serve,settings,train}/**/!(full-disk|commands|decode-heic).test.ts',
];

/** Tests run on the TypeScript sources: `magface:source` is the packages' own export condition for that. */
export default defineConfig({
  resolve: { conditions: ['magface:source', 'node', 'module', 'default'] },
  ssr: { resolve: { conditions: ['magface:source', 'node', 'module', 'default'] } },
  test: {
    globalSetup: 'scripts/build-for-tests.mjs',
    pool: 'forks',
    // One more than there are cores: several files wait for programs that they started.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 240_000,
    hookTimeout: 120_000,
    // Two files run at once: networks that took all cores each would wait for each other, spinning.
    // Some tests load ONNX Runtime themselves, which would report to its maker.
    env: { MAGFACE_CORES: '1', ORT_DISABLE_TELEMETRY: '1' },
    projects: [
      { extends: true, test: { name: 'together', include: together, exclude, isolate: false } },
      {
        extends: true,
        test: {
          name: 'apart',
          include: ['packages/*/test/**/*.test.ts', 'examples/**/*.test.ts'],
          exclude: [...exclude, ...together],
        },
      },
    ],
  },
});
