// Preloaded (node --require) into a measured program: writes its costs to the file in KICK_BENCH_USAGE.
// Stalls of its event loop are only measured with KICK_BENCH_STALLS=1, from its first connection on: measuring costs CPU.
const { writeFileSync } = require('node:fs');
const { Socket } = require('node:net');

const EVERY_MS = 5;
/** The longest time between two turns beyond what was asked for, and the most CPU within one: on a machine that is shared, only the second is the program's own doing. */
let stallMs = 0;
let stallCpuMs = 0;
const cpuNow = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
if (process.env.KICK_BENCH_STALLS === '1') {
  const { connect } = Socket.prototype;
  Socket.prototype.connect = function (...args) {
    Socket.prototype.connect = connect;
    let last = performance.now();
    let lastCpu = cpuNow();
    setInterval(() => {
      const [now, cpu] = [performance.now(), cpuNow()];
      const gap = now - last - EVERY_MS;
      stallMs = Math.max(stallMs, gap);
      stallCpuMs = Math.max(stallCpuMs, Math.min(gap, cpu - lastCpu));

      [last, lastCpu] = [now, cpu];
    }, EVERY_MS).unref();
    return connect.apply(this, args);
  };
}
process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  const usage = {
    cpuMs: (userCPUTime + systemCPUTime) / 1000,
    rssMb: maxRSS / 1024,
    wallMs: performance.now(),
    stallMs,
    stallCpuMs,
  };
  writeFileSync(process.env.KICK_BENCH_USAGE, JSON.stringify(usage));
});
