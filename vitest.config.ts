import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'crds/src/**/*.test.ts',
      'operator/src/**/*.test.ts',
      'strategy-pods/**/src/**/*.test.ts',
      'core-engine/proto/src/**/*.test.ts',
      'scripts/**/*.test.ts',
    ],
    testTimeout: 20_000,
  },
});
