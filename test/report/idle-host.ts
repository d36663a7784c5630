/** A host that is idle, nine minutes after a run that changed something. */
import type { AgentStatus } from '../../src/protocol/status.ts';

export const NOW = new Date(2026, 10, 25, 15, 0, 0).getTime();
export const MINUTE = 60_000;
export const target = { certname: 'web1.example.com', host: 'web1.example.com', port: 8139 };
export const idle: AgentStatus = {
  ...{
    certname: 'web1.example.com',
    version: '0.1.0',
    runner: 'puppet-agent',
    time: NOW,
    uptime: 1,
    waiting: 0,
  },
  lastRun: { status: 'changed', at: NOW - 9 * MINUTE },
};
