/** The reader's language: the browser's, unless another was chosen here. */
import { createContext, type ReactNode, useContext, useEffect, useMemo, useState } from 'react';
import { en, type Text } from './en.ts';
import { type Figures, figuresOf } from './times.ts';
import { zh } from './zh.ts';

export const LANGUAGES = { en: 'English', 'zh-CN': '简体中文' } as const;
export type Language = keyof typeof LANGUAGES;

const TEXTS: Readonly<Record<Language, Text>> = { en, 'zh-CN': zh };
const KEPT = 'kick-language';

interface Spoken {
  language: Language;
  setLanguage(language: Language): void;
  t: Text;
  f: Figures;
}

const SpokenContext = createContext<Spoken | undefined>(undefined);

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, setLanguage] = useState<Language>(firstLanguage);
  useEffect(() => {
    document.documentElement.lang = language;
    localStorage.setItem(KEPT, language);
  }, [language]);
  const spoken = useMemo(
    () => ({ language, setLanguage, t: TEXTS[language], f: figuresOf(language) }),
    [language],
  );
  return <SpokenContext value={spoken}>{children}</SpokenContext>;
}

export function useText(): Spoken {
  const spoken = useContext(SpokenContext);
  if (spoken === undefined) throw new Error('there is no language here');
  return spoken;
}

function firstLanguage(): Language {
  const kept = localStorage.getItem(KEPT);
  if (kept !== null && kept in LANGUAGES) return kept as Language;
  return navigator.languages.find((one) => /^(en|zh)/.test(one))?.startsWith('zh') ? 'zh-CN' : 'en';
}
