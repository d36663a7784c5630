/** Tabs, of which only the chosen one is drawn. */
import { useText } from '../text/language.tsx';

interface TabsProps {
  label: string;
  value: string;
  onChange(value: string): void;
  tabs: readonly (readonly [value: string, label: string, count?: number])[];
}

export function Tabs({ label, value, onChange, tabs }: TabsProps) {
  const { f } = useText();
  return (
    <div className="tabs" role="tablist" aria-label={label}>
      {tabs.map(([name, text, count = 0]) => (
        <button
          key={name}
          type="button"
          role="tab"
          aria-selected={value === name}
          onClick={() => onChange(name)}
        >
          {text}
          {count > 0 && <span className="dim number"> {f.number(count)}</span>}
        </button>
      ))}
    </div>
  );
}
