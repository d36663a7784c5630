/**
 * Known vulnerabilities of what runs, as `npm audit` reports them: high and critical ones are failures. A registry without
 * advisories (a mirror), or out of reach, cannot tell; the gate then skips the step, and says why.
 */
import { execFile } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

/** How a step says that it cannot be done here (gate.ts). */
const CANNOT = 77;

const FATAL = ['high', 'critical'];

/** Lines of `npm audit --json` to be shown, and the exit code of the step. */
export function verdictOf(stdout: string): { code: number; lines: string[] } {
  const report = parsed(stdout);
  const { vulnerabilities, message } = report;
  if (vulnerabilities === undefined) {
    const why = (message ?? 'it said nothing').replace(/(?: - POST)? https?:\/\/\S+/, '');
    return { code: CANNOT, lines: [`the npm registry has no answer: ${why}`] };
  }
  const found = Object.entries(vulnerabilities).map(([name, { severity, range }]) => ({
    isFatal: FATAL.includes(severity),
    line: `${name} ${range}: ${severity}`,
  }));
  return { code: found.some(({ isFatal }) => isFatal) ? 1 : 0, lines: found.map(({ line }) => line) };
}

interface Report {
  vulnerabilities?: Readonly<Record<string, { severity: string; range: string }>>;
  /** Of an error. */
  message?: string;
}

function parsed(stdout: string): Report {
  try {
    return JSON.parse(stdout) as Report;
  } catch {
    return {};
  }
}

/** What npm prints. Offline it would report nothing, and call that none. */
function audit(): Promise<string> {
  const options = ['--omit=dev', '--json', '--offline=false', '--fetch-retries=0', '--fetch-timeout=20000'];
  return new Promise((resolve) => {
    execFile('npm', ['audit', ...options], { cwd: ROOT, timeout: 60_000 }, (_error, stdout) =>
      resolve(stdout),
    );
  });
}

if (import.meta.filename === process.argv[1]) {
  const { code, lines } = verdictOf(await audit());
  for (const line of lines) console.log(line);
  process.exitCode = code;
}
