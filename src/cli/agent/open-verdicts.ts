/** Discovery: what is asked of this host, judged by what Puppet knows of it. */
import type { AnsweringOptions } from '../../agent/discovery/answering.ts';
import { layoutOf } from '../../agent/layout.ts';
import type { AgentService } from '../../transport/transport.ts';
import { systemClock } from '../../util/clock.ts';
import { exists } from '../../util/files.ts';
import { version } from '../version.ts';
import { puppetOptionsOf } from './agent-parts.ts';
import type { Main } from './open-main.ts';

export interface Verdicts extends Pick<AnsweringOptions, 'verdictOn'> {
  /** Whether Puppet is being asked. */
  isBusy(): boolean;
}

/** Puppet is asked for the facts now if none are known: the first question should not have to wait. */
export async function openVerdicts(
  { config, options, log }: Pick<Main, 'config' | 'options' | 'log'>,
  service: Pick<AgentService, 'status'>,
): Promise<Verdicts> {
  const { ownVerdicts } = await import('../../agent/discovery/own-verdicts.ts');
  const { createHostFacts, MAX_FACTS_BYTES } = await import('../../agent/discovery/host-facts.ts');
  const { askFacts } = await import('../../agent/puppet/ask-facts.ts');
  const { runner } = config;
  const puppet = { isService: runner === 'puppet-agent', maxBytes: MAX_FACTS_BYTES };
  const ask = () => askFacts(puppetOptionsOf(config, options, log), puppet);
  const path = layoutOf(options.stateDir, options.runDir).facts;
  const { facts, isAsking } = createHostFacts({
    path,
    ask: runner === 'command' ? undefined : ask,
    clock: systemClock,
    log,
  });
  if (!(await exists(path))) void facts();
  return { verdictOn: ownVerdicts({ service, facts, version: version() }), isBusy: isAsking };
}
