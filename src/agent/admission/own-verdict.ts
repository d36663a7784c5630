/** Our own verdict on certificates that somebody else says to have verified. */
import type { Trust } from '../../pki/identity.ts';
import { ChainError, chainVerifier } from '../../pki/peer-chain.ts';
import { Refusal } from '../../protocol/refusal.ts';
import type { Clock } from '../../util/clock.ts';
import type { AdmissionContext } from './checks.ts';

export function ownVerdict(
  trust: Pick<Trust, 'ca' | 'crls' | 'denied'>,
  clock: Pick<Clock, 'now'>,
): NonNullable<AdmissionContext['verify']> {
  const verifier = chainVerifier(trust);
  return (chain) => {
    try {
      verifier.verify(chain, { now: clock.now(), use: 'clientAuth' });
    } catch (error) {
      if (error instanceof ChainError) throw new Refusal('peer-mismatch', error.message);
      throw error;
    }
  };
}
