/** The page of whoever has not signed in. */
import { Button, PasswordInput, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { type SyntheticEvent, useState } from 'react';
import { ApiError, call } from '../api/client.ts';
import { meQuery } from '../api/queries.ts';
import { Problem } from '../parts/states.tsx';
import { LANGUAGES, type Language, useText } from '../text/language.tsx';

export function SignIn() {
  const { t } = useText();
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [password, setPassword] = useState('');
  const signingIn = useMutation({
    mutationFn: () => call('post /session', { body: { name, password } }),
    onSuccess: (me) => queries.setQueryData(meQuery.queryKey, me),
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    signingIn.mutate();
  };
  const refusal = refusalOf(signingIn.error, t.signIn);
  return (
    <main className="sign-in">
      <form onSubmit={submit} className="stack">
        <div className="row">
          <img src="/kick.svg" alt="" width={36} height={36} />
          <div>
            <h1>kick</h1>
          </div>
        </div>
        <p className="dim">{t.signIn.tagline}</p>
        <div className="card padded stack">
          <TextInput
            label={t.signIn.name}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            autoComplete="username"
            autoFocus
            required
            withAsterisk={false}
          />
          <PasswordInput
            label={t.signIn.password}
            value={password}
            onChange={(event) => setPassword(event.currentTarget.value)}
            autoComplete="current-password"
            required
            withAsterisk={false}
            error={refusal}
          />
          {refusal === undefined && <Problem error={signingIn.error} />}
          <Button type="submit" loading={signingIn.isPending} fullWidth>
            {t.signIn.go}
          </Button>
        </div>
        <p className="dim small">{t.signIn.hint}</p>
        <Languages />
      </form>
    </main>
  );
}

function refusalOf(error: Error | null, { wrong, tooMany }: { wrong: string; tooMany: string }) {
  if (!(error instanceof ApiError)) return undefined;
  return { 401: wrong, 429: tooMany }[error.status];
}

function Languages() {
  const { language, setLanguage } = useText();
  return (
    <div className="chips">
      {(Object.keys(LANGUAGES) as Language[]).map((one) => (
        <button
          key={one}
          type="button"
          lang={one}
          className="chip"
          aria-pressed={language === one}
          onClick={() => setLanguage(one)}
        >
          {LANGUAGES[one]}
        </button>
      ))}
    </div>
  );
}
