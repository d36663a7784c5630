/** DESIGN 12, discovery: what is so of this host. */
import type { Verdict } from '../../protocol/discovery.ts';
import type { AgentService } from '../../transport/transport.ts';
import { isMeant } from './is-meant.ts';
import { type HostSource, judgeHost } from './judge-host.ts';
import type { Received } from './receive-questions.ts';

export interface OwnVerdictsOptions extends Pick<HostSource, 'facts' | 'version'> {
  service: Pick<AgentService, 'status'>;
}

/** The returned function resolves with undefined if there is nothing to say. */
export function ownVerdicts({
  service,
  ...source
}: OwnVerdictsOptions): (received: Received) => Promise<Verdict | undefined> {
  return async ({ question, peer, certname, late }) => {
    const role = await isMeant(question.meant, certname);
    if (role === 'other') return undefined;
    const status: HostSource['status'] = (asked) => service.status(peer, asked);
    const judged = async (): Promise<Verdict> =>
      role === 'excluded' ? { is: 'no' } : judgeHost(question.asks, { ...source, status });
    const verdict = late ?? (await judged());
    // One that is excluded is there all the same: an exclusion of nobody is most likely a typo.
    return verdict.is === 'no' && question.all !== true && role === 'named' ? undefined : verdict;
  };
}
