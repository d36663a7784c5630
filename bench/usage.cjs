// Preloaded (node --require) into a program that is measured: writes what it cost to the file in KICK_BENCH_USAGE.
// The stalls of its event loop are counted with KICK_BENCH_STALLS=1 only, from its first connection on: looking costs.
const { writeFileSync } = require('node:fs');
const { subscribe } = require('node:diagnostics_channel');
const { monitorEventLoopDelay } = require('node:perf_hooks');

const loop = monitorEventLoopDelay({ resolution: 1 });
const stalls = [];
if (process.env.KICK_BENCH_STALLS === '1') {
  let last;
  subscribe('net.client.socket', () => {
    if (last !== undefined) return;
    loop.enable();
    last = performance.now();
    setInterval(() => {
      const now = performance.now();
      stalls.push(now - last);
      last = now;
    }, 5).unref();
  });
}
process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const usage = {
    cpuMs: (userCPUTime + systemCPUTime) / 1000,
    rssMb: maxRSS / 1024,
    wallMs: performance.now(),
    stallMs: stalls.length === 0 ? 0 : Math.max(...stalls) - 5,
  };
  writeFileSync(process.env.KICK_BENCH_USAGE, JSON.stringify(usage));
});
