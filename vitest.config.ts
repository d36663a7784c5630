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
          // Most of them wait for processes of their own; on a busy machine these take their time.
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 60_000,
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
