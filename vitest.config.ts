import { defineConfig } from 'vitest/config';

/** Tests run on the TypeScript sources: `magface:source` is the packages' own export condition for that. */
export default defineConfig({
  resolve: { conditions: ['magface:source', 'node', 'module', 'default'] },
  ssr: { resolve: { conditions: ['magface:source', 'node', 'module', 'default'] } },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'examples/**/*.test.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 240_000,
    hookTimeout: 120_000,
  },
});
