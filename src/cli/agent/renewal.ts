/** Certificates of kick's own CA that are renewed by the agent; where no node has enrolled, nothing of it is loaded. */
import { dirname, join } from 'node:path';
import { ENROLMENT_FILE } from '../../enrolment/enrolment-file.ts';
import type { Keeper, KeepOptions } from '../../enrolment/keep-renewed.ts';
import type { IdentityPaths } from '../../pki/identity.ts';
import { exists } from '../../util/files.ts';

export interface Renewal {
  /** Begins if this host has enrolled, once. */
  begin(paths: IdentityPaths): Promise<void>;
  /** Whether it has begun. */
  isOn(): boolean;
  /** Looks now (SIGHUP). */
  look(): void;
  /** Why the last look failed. */
  trouble(): string | undefined;
}

export function createRenewal(options: KeepOptions): Renewal {
  let keeper: Keeper | undefined;
  return {
    async begin(paths) {
      const dir = dirname(dirname(paths.certificate));
      if (keeper !== undefined || !(await exists(join(dir, ENROLMENT_FILE)))) return;
      const { keepRenewed } = await import('../../enrolment/keep-renewed.ts');
      keeper ??= keepRenewed({ dir, paths }, options);
    },
    isOn: () => keeper !== undefined,
    look: () => void keeper?.look(),
    trouble: () => keeper?.trouble(),
  };
}

/** For `kick doctor --local`, where no agent may run: why the CA's server gives no CRL, if this host has enrolled. */
export async function renewalTroubleNow(paths: IdentityPaths): Promise<string | undefined> {
  const dir = dirname(dirname(paths.certificate));
  if (!(await exists(join(dir, ENROLMENT_FILE)))) return undefined;
  const [{ fetchCrl }, { messageOf }, { systemClock }] = await Promise.all([
    import('../../enrolment/renew.ts'),
    import('../../errors.ts'),
    import('../../util/clock.ts'),
  ]);
  try {
    await fetchCrl({ dir, paths }, { clock: systemClock });
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
