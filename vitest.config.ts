import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // aws-cdk-lib's own template validator costs seconds per template; the one full synth runs with it.
    env: { CDK_VALIDATION: 'false' },
    testTimeout: 30_000,
  },
});
