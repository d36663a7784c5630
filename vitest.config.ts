import { defineConfig } from 'vitest/config';

const globalSetup = ['test/support/build-setup.ts'];
const setupFiles = ['test/support/generated-cases.ts'];

export default defineConfig({
  test: {
    reporters: [['default', { summary: false }]],
    projects: [
      {
        test: {
          name: 'unit',
          globalSetup,
          setupFiles,
          include: ['test/**/*.test.ts'],
          exclude: ['test/puppet/**', 'test/peers/**', 'test/nodes/**'],
          // Most of them wait for processes of their own; on a busy machine these take their time.
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'nodes',
          globalSetup,
          include: ['test/nodes/**/*.test.ts'],
          testTimeout: 120_000,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'peers',
          globalSetup,
          setupFiles,
          include: ['test/peers/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'puppet',
          setupFiles,
          include: ['test/puppet/**/*.test.ts'],
          globalSetup: [...globalSetup, 'test/puppet/global-setup.ts'],
          // A worker only waits: Puppet itself is what keeps the processors busy.
          maxWorkers: 4,
          testTimeout: 420_000,
          hookTimeout: 420_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
