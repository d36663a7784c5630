/** The names of hosts that are alike, some of them until all are asked for. */
import { useMemo, useState } from 'react';
import { useText } from '../text/language.tsx';

const FIRST = 12;
const MOST = 500;

interface NamesProps {
  names: readonly string[];
  onHost(certname: string): void;
}

export function HostNames({ names: given, onHost }: NamesProps) {
  const { t, f } = useText();
  const [isOpen, setOpen] = useState(false);
  const names = useMemo(() => given.toSorted(), [given]);
  return (
    <div className="chips">
      {names.slice(0, isOpen ? MOST : FIRST).map((name) => (
        <button key={name} type="button" className="chip mono" onClick={() => onHost(name)}>
          {name}
        </button>
      ))}
      {!isOpen && names.length > FIRST && (
        <button type="button" className="chip" onClick={() => setOpen(true)}>
          {t.common.more} ({f.number(names.length - FIRST)})
        </button>
      )}
    </div>
  );
}
