/** Every row of "what puppet.conf can do to a run": none of it makes kick say what is not true. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { AGENTS } from './agents.ts';
import {
  type Controller,
  controllerFor,
  type KickResult,
  outcomesOf,
  type RunningAgent,
  startAgent,
  useLab,
} from './harness.ts';
import { calm, messageOn, newMessage, puppetConf } from './runs.ts';
import { wayToServer } from './way-to-server.ts';

const lab = useLab();
const [agent] = AGENTS.puppetConf;
const certname = lab.certnameOf(agent);
const home = join(lab.dir, 'controller-conf');
const facts = join(home, 'facts');
let running: RunningAgent;
let controller: Controller;

const kick = (...args: string[]): Promise<KickResult> => controller.kick(certname, ...args);

beforeAll(async () => {
  mkdirSync(home, { recursive: true });
  writeFileSync(facts, '');
  running = await startAgent(lab, agent, { yaml: `environment_files: [${facts}]\n` });
  controller = controllerFor(lab, [running], { home });
  await newMessage(lab, agent);
  await kick(); // the first run of all, which also leaves a cached catalog
});

afterAll(() => running.end('SIGTERM'));

beforeEach(() => calm(lab, agent));

test('a run looks at new code though puppet.conf says use_cached_catalog', async () => {
  puppetConf(lab, agent, 'use_cached_catalog = true');
  const message = await newMessage(lab, agent);

  const result = await kick();

  expect(outcomesOf(result)).toEqual({ [agent]: 'changed' });
  expect(messageOn(lab, agent)).toBe(message);
});

test('a run uses the cached catalog when it is asked to', async () => {
  const before = messageOn(lab, agent);
  await newMessage(lab, agent);

  const result = await kick('--use-cached-catalog');

  expect(outcomesOf(result)).toEqual({ [agent]: 'unchanged' });
  expect(messageOn(lab, agent)).toBe(before);
});

test('a catalog that does not compile is failed though puppet.conf says usecacheonfailure', async () => {
  puppetConf(lab, agent, 'usecacheonfailure = true');
  await lab.set(agent, 'fail_catalog', true);

  const result = await kick();

  expect(outcomesOf(result)).toEqual({ [agent]: 'failed' });
  expect(result.stdout).toContain('is made to fail');
});

test('a server that is down is failed, the cached catalog if asked for, and well when it is back', async () => {
  const way = await wayToServer(lab.port);
  puppetConf(lab, agent, 'usecacheonfailure = true', `serverport = ${way.port}`);
  const message = await newMessage(lab, agent);

  await way.close();
  const down = await kick();
  expect(outcomesOf(down)).toEqual({ [agent]: 'failed' });
  expect(down.exit).toBe(1);

  const cached = await kick('--usecacheonfailure');
  expect(outcomesOf(cached)).toEqual({ [agent]: 'unchanged' });
  expect(messageOn(lab, agent)).not.toBe(message);

  await way.open();
  const back = await kick();
  expect(outcomesOf(back)).toEqual({ [agent]: 'changed' });
  expect(messageOn(lab, agent)).toBe(message);
});

test('a prerun_command that fails is failed, and nothing is applied', async () => {
  puppetConf(lab, agent, 'prerun_command = /bin/false');
  const message = await newMessage(lab, agent);

  const result = await kick();

  expect(outcomesOf(result)).toEqual({ [agent]: 'failed' });
  expect(result.stdout).toContain('/bin/false');
  expect(messageOn(lab, agent)).not.toBe(message);
});

test('a postrun_command that fails is failed, though the report says unchanged', async () => {
  puppetConf(lab, agent, 'postrun_command = /bin/false');

  const result = await kick();

  expect(outcomesOf(result)).toEqual({ [agent]: 'failed' });
  expect(result.stdout).toContain('/bin/false');
});

test('a run is judged by its own report though puppet.conf says report=false', async () => {
  puppetConf(lab, agent, 'report = false');
  const message = await newMessage(lab, agent);

  expect(outcomesOf(await kick())).toEqual({ [agent]: 'changed' });
  expect(messageOn(lab, agent)).toBe(message);
  expect(outcomesOf(await kick())).toEqual({ [agent]: 'unchanged' });
});

test('a host whose puppet.conf says noop would change, says so, and changes with --no-noop', async () => {
  puppetConf(lab, agent, 'noop = true');
  const message = await newMessage(lab, agent);

  const dry = await kick();
  expect(outcomesOf(dry)).toEqual({ [agent]: 'would-change' });
  expect(dry.exit).toBe(0);
  expect(dry.stdout).toContain('--no-noop');
  expect(messageOn(lab, agent)).not.toBe(message);

  expect(outcomesOf(await kick('--no-noop'))).toEqual({ [agent]: 'changed' });
  expect(messageOn(lab, agent)).toBe(message);
});

test('a run begins at once though puppet.conf says splay', async () => {
  puppetConf(lab, agent, 'splay = true', 'splaylimit = 10d');

  const result = await kick('--run-timeout', '1h'); // ten days of splay would be timed-out

  expect(outcomesOf(result)).toEqual({ [agent]: 'unchanged' });
});

test('a run logs to where the site logs, and to us', async () => {
  const log = join(lab.dirOf(agent), 'log', 'site.log');
  puppetConf(lab, agent, `logdest = ${log}`);
  await newMessage(lab, agent);
  await lab.set(agent, 'fail_resource', true);

  const result = await kick();

  expect(outcomesOf(result)).toEqual({ [agent]: 'failed' });
  expect(result.stdout).toContain('/bin/false');
  expect(existsSync(log) && readFileSync(log, 'utf8')).toContain('/bin/false');
});

test('a run has the facts that puppet.service would give it, and nothing of the agent itself', async () => {
  const environment = join(lab.dirOf(agent), 'environment');
  const command = join(lab.dirOf(agent), 'show-environment');
  writeFileSync(
    command,
    `#!/bin/sh\nenv >${environment}\numask >>${environment}\nulimit -Sn >>${environment}\n`,
  );
  chmodSync(command, 0o755);
  writeFileSync(facts, 'FACTER_role=web\nRUBYOPT=-rnosuch\nLD_PRELOAD=/nosuch.so\n');
  onTestFinished(() => writeFileSync(facts, ''));
  puppetConf(lab, agent, `prerun_command = ${command}`);

  const result = await kick();

  expect(outcomesOf(result)).toEqual({ [agent]: 'unchanged' });
  const seen = readFileSync(environment, 'utf8').split('\n');
  expect(seen).toContain('FACTER_role=web');
  expect(seen.filter((line) => /^(RUBYOPT|LD_PRELOAD)=/.test(line))).toEqual([]);
  expect(seen).toContain('0022');
  expect(seen).toContain('1024');
});

const noteOf = ({ hosts }: KickResult) => hosts[certname]?.message;
const allSkipped = (why: string) =>
  expect.stringMatching(new RegExp(`^(\\d+) of \\1 resources were skipped \\(${why}\\)$`));

test('tags that match nothing: it is said that everything was skipped, and why', async () => {
  const message = await newMessage(lab, agent);

  const asked = await kick('--tags', 'nosuch');
  expect(outcomesOf(asked)).toEqual({ [agent]: 'unchanged' });
  expect(noteOf(asked)).toEqual(allSkipped('--tags nosuch'));

  puppetConf(lab, agent, 'tags = nosuch');
  const said = await kick();
  expect(outcomesOf(said)).toEqual({ [agent]: 'unchanged' });
  expect(noteOf(said)).toEqual(allSkipped("the host's puppet.conf says tags = nosuch"));
  expect(messageOn(lab, agent)).not.toBe(message);

  const some = await kick('--tags', 'lab_message');
  expect(outcomesOf(some)).toEqual({ [agent]: 'changed' });
  expect(noteOf(some)).toBeUndefined();
});

test('an environment of puppet.conf that does not exist: the run uses production, and it is said', async () => {
  puppetConf(lab, agent, 'environment = nope');
  await newMessage(lab, agent);

  const result = await kick();

  expect(outcomesOf(result)).toEqual({ [agent]: 'changed' });
  expect(noteOf(result)).toBe("the host's puppet.conf says environment = nope, but the run used production");
});

test('a run is judged by its report wherever PUPPET_EXTRA_OPTS puts it', async () => {
  const state = join(lab.dirOf(agent), 'other-state');
  mkdirSync(state, { recursive: true });
  writeFileSync(facts, `PUPPET_EXTRA_OPTS="--verbose --statedir ${state} --tags lab_message"\n`);
  onTestFinished(() => writeFileSync(facts, ''));
  await newMessage(lab, agent);

  const moved = await kick();
  expect(outcomesOf(moved)).toEqual({ [agent]: 'changed' });
  expect(noteOf(moved)).toMatch(
    /^\d+ of \d+ resources were skipped \(the host's PUPPET_EXTRA_OPTS says tags = lab_message\)$/,
  );
  expect(existsSync(join(state, 'last_run_report.yaml'))).toBe(true);

  const report = join(state, 'its own report.yaml');
  writeFileSync(facts, `PUPPET_EXTRA_OPTS=--lastrunreport='${report}'\n`);
  await newMessage(lab, agent);
  expect(outcomesOf(await kick())).toEqual({ [agent]: 'changed' });
  expect(existsSync(report)).toBe(true);
});
