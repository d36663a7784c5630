/** What TAB does in a real zsh, on a terminal of its own (zsh/zpty). */
import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KICK } from '../../tools/program.ts';
import { completionSite } from '../support/completion-site.ts';

/** Types each line and TAB into an inner zsh; a key bound to a widget prints what then stands there. */
const DRIVER = `
zmodload zsh/zpty
zpty inner zsh -f -i
wait_for() {
  local seen= chunk
  local -i tries=0
  while [[ $seen != *"$1"* ]] && (( tries++ < 10000 )); do
    if zpty -r -t inner chunk; then seen+=$chunk; else sleep 0.05; fi
  done
  print -r -- "$seen"
}
zpty -w inner "source $PWD/inner.zsh"
wait_for READY >/dev/null
for line in "$@"; do
  zpty -w -n inner "$line"$'\\t'$'\\x18'
  print -r -- "LINE:\${line}"
  wait_for '>' | tr -d '\\r'
done
zpty -d inner
`;

const INNER = `
PS1= PS2= RPS1=
unset zle_bracketed_paste
autoload -Uz compinit
compinit -D -u
source <(kick completion zsh)
show() { zle -I; print -r -- "<BUFFER:$BUFFER>"; zle kill-whole-line; }
zle -N show
bindkey '^X' show
bindkey '^I' complete-word
print READ'Y'
`;

test('zsh: commands, hosts, groups, expressions, option values, jobs and files', () => {
  const site = completionSite(KICK);
  const driver = join(site.folder, 'driver.zsh');
  writeFileSync(driver, DRIVER);
  writeFileSync(join(site.folder, 'inner.zsh'), INNER);
  const cases: [string, string][] = [
    ['kick pin', 'kick ping '],
    ['kick jobs sto', 'kick jobs stop '],
    ['kick jobs show e4', 'kick jobs show e41c07aa '],
    ['kick db', 'kick db.example.com '],
    ['kick we', 'kick web'],
    ['kick @d', 'kick @dmz '],
    ['kick web1.example.com,db', 'kick web1.example.com,db.example.com '],
    ["kick '@dmz&db", "kick '@dmz&db.example.com' "],
    ['kick --dry', 'kick --dry-run '],
    ['kick nodes --format js', 'kick nodes --format json '],
    ['kick run --format=jsonl', 'kick run --format=jsonl '],
    ['kick --if-running s', 'kick --if-running skip '],
    ['kick --accept disabled,unr', 'kick --accept disabled,unreachable '],
    ['kick --nodes-file nodes.t', 'kick --nodes-file nodes.txt '],
    ['kick --nodes-file=nodes.t', 'kick --nodes-file=nodes.txt '],
  ];
  const out = execFileSync('zsh', ['-f', driver, ...cases.map(([line]) => line)], {
    ...{ env: { ...site.env, TERM: 'dumb' }, cwd: site.folder, encoding: 'utf8' },
  });
  const told = out.split(/^LINE:/m).slice(1);
  const found = told.map((text) => [text.split('\n')[0], /<BUFFER:([^>]*)>/.exec(text)?.[1]]);
  expect(found).toEqual(cases);
  expect(existsSync(site.ran)).toBe(false);
});
