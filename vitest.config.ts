import { configDefaults, defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: [
            'core-engine/proto/src/**/*.test.ts',
            'crds/src/**/*.test.ts',
            'operator/src/**/*.test.ts',
            'scripts/*.test.ts',
            'strategy-pods/**/src/**/*.test.ts',
          ],
          // What `flashpod init` writes runs under Node's own test runner; e2e/init.test.ts runs it.
          exclude: [...configDefaults.exclude, 'strategy-pods/template/**'],
          testTimeout: 20_000,
        },
      },
      {
        // Whole processes against each other: one file at a time, so that they don't take each other's two cores.
        test: {
          name: 'e2e',
          include: ['e2e/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
