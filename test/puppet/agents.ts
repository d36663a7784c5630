/** Which of the lab's agents belong to which test file, so that the files can run side by side. */
export const AGENTS = {
  outcomes: ['agent1', 'agent2', 'agent3'],
  puppetConf: ['agent4'],
  inProgress: ['agent5'],
  puppetKilled: ['agent6'],
  agentKilled: ['agent7'],
  certificates: ['agent8'],
  puppetDb: ['agent9', 'agent10'],
  changes: ['agent11', 'agent12'],
  switching: ['agent13'],
  pull: ['agent14'],
  endOfRun: ['agent15'],
  nats: ['agent16', 'agent17'],
  page: ['agent18'],
  upgrade: ['agent19'],
} as const;
