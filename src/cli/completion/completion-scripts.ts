/** Shell scripts that make TAB call `kick __complete`. They do not depend on the commands. */

/**
 * Bash splits words at COMP_WORDBREAKS (":", "=", "@", …) and replaces only the part after the last of
 * them, but names contain colons. So the line is parsed again, and the part that bash keeps is cut off.
 */
const BASH = `# Completion of kick for bash:  source <(kick completion bash)
_kick() {
  local line=\${COMP_LINE:0:COMP_POINT} quote= word= char start=0 i raw= open=
  local -a words=()
  for ((i = 0; i < \${#line}; i++)); do
    char=\${line:i:1}
    if [[ -n $quote ]]; then
      if [[ $char == "$quote" ]]; then quote= start=\${#word}
      elif [[ $quote == '"' && $char == \\\\ && \${line:i+1:1} == [\\"\\\\\\$\\\`] ]]; then i=$((i + 1)) word+=\${line:i:1}
      else word+=$char
      fi
    elif [[ $char == [[:space:]] ]]; then
      [[ -n $open ]] && words+=("$word")
      word= start=0 raw= open=
      continue
    elif [[ $char == [\\'\\"] ]]; then quote=$char start=\${#word}
    elif [[ $char == \\\\ ]]; then i=$((i + 1)) word+=\${line:i:1} raw=escaped
    else
      word+=$char
      [[ $COMP_WORDBREAKS == *"$char"* ]] && start=\${#word}
    fi
    open=1
  done
  words+=("$word")
  local -a found=()
  mapfile -t found < <(command kick __complete -- "\${words[@]:1}" 2>/dev/null)
  if [[ \${found[0]-} == ':files' ]]; then
    local before=
    [[ $word == --*=* ]] && before=\${word%%=*}=
    mapfile -t found < <(compgen -f -- "\${word#"$before"}")
    found=("\${found[@]/#/$before}")
    compopt -o filenames 2>/dev/null
    raw=
  fi
  COMPREPLY=()
  for word in "\${found[@]}"; do
    [[ -n $word ]] || continue
    word=\${word:start}
    [[ -n $raw && -z $quote ]] && printf -v word %q "$word"
    COMPREPLY+=("$word")
  done
}
complete -F _kick kick
`;

const ZSH = `#compdef kick
# Completion of kick for zsh: as a file _kick in a folder of $fpath, or  source <(kick completion zsh)
_kick() {
  local -a found before
  before=("\${(@Q)words[2,CURRENT-1]}")
  (( CURRENT > 2 )) || before=()
  found=("\${(@f)$(command kick __complete -- "\${before[@]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  found=("\${(@)found:#}")
  if [[ \${found[1]-} == ':files' ]]; then
    [[ $PREFIX == --*=* ]] && compset -P 1 '*='
    _files
    return
  fi
  (( \${#found} )) && compadd -a found
}
if [[ \${funcstack[1]-} == _kick ]]; then
  _kick "$@"
else
  compdef _kick kick
fi
`;

const FISH = `# Completion of kick for fish: as kick.fish in ~/.config/fish/completions, or  kick completion fish | source
function __kick_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l word (commandline --current-token --cut-at-cursor)
    set -l found (command kick __complete -- $words[2..-1] $word 2>/dev/null)
    if test "$found[1]" != ':files'
        string match --invert '' -- $found
    else if string match --quiet -- '--*=*' $word
        set -l parts (string split --max 1 = -- $word)
        string replace --regex -- '^' "$parts[1]=" (__fish_complete_path $parts[2] | string replace --regex '\\t.*' '')
    else
        __fish_complete_path $word
    end
end
complete --command kick --no-files --arguments '(__kick_complete)'
`;

export const SCRIPTS = { bash: BASH, zsh: ZSH, fish: FISH } as const;
