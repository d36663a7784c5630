/** Tokens for scripts: made here, shown once, revoked. */
import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { call, type Reply } from '../api/client.ts';
import { Empty, Problem } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';
import { useText } from '../text/language.tsx';
import { limitWords } from './limits.ts';
import { NewToken } from './new-token.tsx';

type Token = Reply<'get /tokens'>['tokens'][number];

export function TokensPage() {
  const { t } = useText();
  const [isMaking, setMaking] = useState(false);
  const { data, error } = useQuery({
    queryKey: ['tokens'],
    queryFn: ({ signal }) => call('get /tokens', {}, { signal }),
  });
  return (
    <div className="page">
      <div className="page-head">
        <div>
          <h1>{t.admin.tokens}</h1>
          <p className="dim">{t.admin.tokensHint}</p>
        </div>
        <Button onClick={() => setMaking(true)}>{t.admin.newToken}</Button>
      </div>
      <Problem error={error} />
      <section className="card scroll">
        {data?.tokens.length === 0 ? (
          <Empty title={t.admin.noTokens} hint={t.admin.tokensHint} />
        ) : (
          <TokenTable tokens={data?.tokens ?? []} />
        )}
      </section>
      {isMaking && <NewToken onClose={() => setMaking(false)} />}
    </div>
  );
}

function TokenTable({ tokens }: { tokens: readonly Token[] }) {
  const { t } = useText();
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: (id: string) => call('delete /tokens/{id}', { params: { id } }),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['tokens'] }),
  });
  return (
    <>
      <Problem error={revoke.error} />
      <table className="simple">
        <thead>
          <tr>
            <th>{t.signIn.name}</th>
            <th>{t.admin.role}</th>
            <th className="hide-narrow">{t.admin.used}</th>
            <th>{t.admin.ends}</th>
            <th aria-label={t.admin.revoke} />
          </tr>
        </thead>
        <tbody>
          {tokens.map(({ id, name, user, role, limits, lastUsedAt, endsAt }) => (
            <tr key={id}>
              <td>
                {name}
                <div className="dim small">{user}</div>
              </td>
              <td>
                {t.roles[role]}
                <div className="dim small">{limitWords(limits, t)}</div>
              </td>
              <td className="hide-narrow">
                {lastUsedAt === undefined ? t.admin.never : <Time at={lastUsedAt} isRelative />}
              </td>
              <td>
                <Time at={endsAt} isRelative />
              </td>
              <td>
                <Button size="compact-sm" variant="default" onClick={() => revoke.mutate(id)}>
                  {t.admin.revoke}
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
