import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    reporters: [['default', { summary: false }]],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/puppet/**', 'test/peers/**'],
          testTimeout: 20_000,
          hookTimeout: 20_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: { name: 'peers', include: ['test/peers/**/*.test.ts'], sequence: { groupOrder: 2 } },
      },
      {
        test: {
          name: 'puppet',
          include: ['test/puppet/**/*.test.ts'],
          globalSetup: ['test/puppet/global-setup.ts'],
          // A worker only waits: Puppet itself is what keeps the processors busy.
          maxWorkers: 6,
          testTimeout: 240_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
