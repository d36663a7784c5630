import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

const globalSetup = ['test/support/build-setup.ts'];
const setupFiles = ['test/support/generated-cases.ts'];
// As on a machine without Puppet. Where it is installed, each new site would ask it for its settings, which takes seconds of
// a processor.
const env = { KICK_PUPPET: '/nonexistent/puppet' };
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
          env,
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/packages/**',
            'test/puppet/**',
            'test/interop/**',
            'test/nodes/**',
            'test/browser/**',
            'test/module/**',
          ],
          // One more than there are processors: many tests mostly wait, for processes or for limits that they have made short.
          maxWorkers: availableParallelism() + 1,
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
          name: 'interop',
          globalSetup,
          setupFiles,
          env,
          include: ['test/interop/**/*.test.ts'],
          maxWorkers: 2,
          ...patience,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'web',
          globalSetup,
          setupFiles,
          env,
          include: ['test/browser/**/*.test.ts'],
          maxWorkers: 2,
          ...patience,
          sequence: { groupOrder: 4 },
        },
      },
      {
        test: {
          name: 'module',
          setupFiles,
          include: ['test/module/**/*.test.ts'],
          ...patience,
          sequence: { groupOrder: 5 },
        },
      },
      {
        test: {
          name: 'packages',
          globalSetup: [...globalSetup, 'test/packages/global-setup.ts'],
          include: ['test/packages/**/*.test.ts'],
          maxWorkers: 2,
          ...patience,
          sequence: { groupOrder: 6 },
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
