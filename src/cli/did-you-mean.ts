/** Recognises words that are probably meant as a command. */
import { type Inventory, isInInventory } from '../controller/targeting/inventory.ts';
import { KickError } from '../errors.ts';
import { nearestWord } from '../util/edits.ts';

const COMMANDS = [
  ...['run', 'rerun', 'nodes', 'discover', 'facts', 'jobs', 'ping', 'agent', 'pki', 'demo', 'help'],
  ...['status', 'count', 'summary', 'disable', 'enable', 'cancel', 'doctor', 'completion', 'nats'],
];

/** Commands of similar tools, unlikely as host names, and their counterparts here. */
const PEERS: Readonly<Record<string, string>> = {
  runonce: 'run',
  runall: 'run',
  find: 'nodes',
  version: '--version',
};

/** Words that are hosts to nobody: options, commands below others, and what people type who know other tools. */
const MEANT: Readonly<Record<string, string>> = {
  noop: 'kick --noop HOSTS',
  preview: 'kick --noop HOSTS',
  all: 'kick --all',
  host: 'kick --host NAME',
  hosts: 'kick --host NAME',
  exclude: 'kick --exclude NAME HOSTS',
  limit: 'kick --limit N HOSTS',
  environment: 'kick --environment NAME HOSTS',
  start: 'kick HOSTS',
  apply: 'kick HOSTS',
  true: 'kick --noop HOSTS: options take no "true"',
  false: 'an option without its "false"',
  stop: 'kick jobs stop JOB',
  abort: 'kick jobs stop JOB',
  resume: 'kick jobs resume JOB',
  show: 'kick jobs show JOB',
  watch: 'kick jobs watch JOB',
  list: 'kick jobs',
  serve: 'kick serve --help',
  user: 'kick user --help',
};

/** Maximum edit distance from a command. */
const MAX_EDITS = 2;

/** More letters than those of any command and two more. */
const MAX_LETTERS = 20;

/** The command within two edits of a word; undefined if there is none. Commands are only letters: `agent1` is a host. */
export function likelyCommand(word: string): string | undefined {
  if (word.length > MAX_LETTERS || !/^[A-Za-z]+$/.test(word)) return undefined;
  const command = nearestWord(word, [...COMMANDS, ...Object.keys(PEERS)], MAX_EDITS);
  return command === undefined ? undefined : (PEERS[command] ?? command);
}

/** Makes sure that neither a misspelt command nor `kick web1 disable` is a run on a host called "disable". Throws `KickError` `usage`. */
export function refuseLikelyCommand([first, ...more]: readonly string[], inventory: Inventory): void {
  const behind = more.find((word) => likelyCommand(word) === word && !isInInventory(word, inventory));
  if (behind !== undefined) {
    throw new KickError('usage', `"${behind}" is a command, but comes after a host`, {
      hint: `kick ${behind} ${first}; if it is a host: kick --host ${behind}`,
    });
  }
  refuseMeant([first, ...more], inventory);
  if (first === undefined || isInInventory(first, inventory)) return;
  const likely = likelyCommand(first);
  if (likely === undefined) return;
  if (likely === first) {
    throw new KickError('usage', `"${first}" is a command, but not all words before it are its options`, {
      hint: `kick ${first} --help lists them; if it is a host: kick --host ${first}`,
    });
  }
  throw new KickError(
    'usage',
    `"${first}" is neither a command nor a host of the inventory: did you mean "${likely}"`,
    {
      hint: `kick --help lists the commands; if it is a host: kick --host ${first}`,
    },
  );
}

/** Throws `KickError` `usage` at a word that means something else, wherever it stands. */
function refuseMeant(words: readonly (string | undefined)[], inventory: Inventory): void {
  for (const word of words) {
    if (word === undefined || !Object.hasOwn(MEANT, word) || isInInventory(word, inventory)) continue;
    throw new KickError('usage', `"${word}" is no host of the inventory: did you mean ${MEANT[word]}`, {
      hint: `kick --help lists commands and options; if it is a host: kick --host ${word}`,
    });
  }
}
