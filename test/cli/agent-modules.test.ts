/** A resident agent holds in memory what a request needs, and nothing else. */
import { expect, test } from 'vitest';
import { httpsSender } from '../../src/transport/https/client/client.ts';
import { PROGRAM } from '../../tools/program.ts';
import { listModules } from '../support/loaded-modules.ts';
import { agentSite, anySignal, NAME, startRealAgent } from '../support/real-agent.ts';
import { tempFolder } from '../support/temp.ts';

test('an agent that has served requests has loaded neither what makes CAs nor what controllers need', async () => {
  const folder = tempFolder();
  const { ca, command } = agentSite(folder, { command: ['/bin/true'] });
  const modules = listModules(folder);
  const agent = await startRealAgent(command({ kick: [process.execPath, ...modules.args, PROGRAM] }), {
    env: { ...process.env, ...modules.env },
  });
  const sender = httpsSender({ identity: await ca.identity('puppet.example.com') });
  const target = { certname: NAME, host: '127.0.0.1', port: agent.port };
  expect(await sender.status(target, { signal: anySignal() })).toMatchObject({ certname: NAME });
  sender.close();
  await agent.kill();
  const { of } = modules;
  expect(of(/\/express\//)).not.toEqual([]);
  expect(of(/\/dist\/agent\/agent\.js$/)).toHaveLength(1);
  expect(of(/node_modules\/(node-forge|commander)\//)).toEqual([]);
  expect(of(/node_modules\/mime-db\/db\.json$/)).toEqual([]);
  expect(of(/\/dist\/(controller|report|web)\//)).toEqual([]);
  expect(of(/\/dist\/transport\/https\/client\//)).toEqual([]);
  expect(of(/\/dist\/pki\/(authority|make-certificate)\.js$/)).toEqual([]);
  expect(of(/\/dist\/cli\/(commands\/|help\/|program|command-table|commander)/)).toEqual([]);
});
