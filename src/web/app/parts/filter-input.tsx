/** A text of the address: what is typed is there at once, the address follows when one pauses. */
import { TextInput, type TextInputProps } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useRef, useState } from 'react';

const PAUSE_MS = 200;

interface FilterProps extends Omit<TextInputProps, 'value' | 'onChange'> {
  /** As the address has it. */
  value: string;
  onFilter(value: string): void;
}

export function FilterInput({ value, onFilter, ...rest }: FilterProps) {
  const [text, setText] = useState(value);
  const [seen, setSeen] = useState(value);
  const sent = useRef(value);
  const send = useDebouncedCallback((next: string) => {
    sent.current = next;
    onFilter(next);
  }, PAUSE_MS);
  if (seen !== value) {
    setSeen(value);
    // Not what was typed here a moment ago: somebody has cleared the filter, or gone back.
    if (sent.current !== value) setText(value);
  }
  const change = (next: string) => {
    setText(next);
    send(next.trim());
  };
  return (
    <TextInput
      size="sm"
      {...rest}
      value={text}
      onChange={(event) => change(event.currentTarget.value)}
      onKeyDown={(event) => event.key === 'Escape' && change('')}
    />
  );
}
