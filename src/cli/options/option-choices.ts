/** An option with a closed list of values, which completion offers. Other values are refused by the command itself. */
import { Option } from '../commander.ts';

const CHOICES = new WeakMap<Option, readonly string[]>();

export function choiceOption(flags: string, what: string, choices: readonly string[]): Option {
  const option = new Option(flags, what);
  CHOICES.set(option, choices);
  return option;
}

export function choicesOf(option: Option): readonly string[] | undefined {
  return CHOICES.get(option);
}
