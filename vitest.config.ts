import { defineConfig } from 'vitest/config';

const globalSetup = ['test/support/build-setup.ts'];
const setupFiles = ['test/support/generated-cases.ts'];
// Nothing is expected to happen within a time: these limits only end a test that hangs, however busy the machine is.
const patience = {
  testTimeout: 600_000,
  hookTimeout: 600_000,
  expect: { poll: { timeout: 500_000, interval: 20 } },
};

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
          maxWorkers: 2,
          ...patience,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'nodes',
          globalSetup,
          include: ['test/nodes/**/*.test.ts'],
          ...patience,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          name: 'peers',
          globalSetup,
          setupFiles,
          include: ['test/peers/**/*.test.ts'],
          ...patience,
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
          ...patience,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
