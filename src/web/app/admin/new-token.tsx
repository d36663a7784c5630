/** Makes a token, and shows it this once. */
import { Button, Modal, NativeSelect, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Role } from '../../api/route.ts';
import { ApiError, call } from '../api/client.ts';
import { Problem } from '../parts/states.tsx';
import { useMe } from '../shell/shell.tsx';
import { useText } from '../text/language.tsx';

/** From the least to the most powerful. */
const ROLES: readonly Role[] = ['viewer', 'operator', 'admin'];

export function NewToken({ onClose }: { onClose(): void }) {
  const { t } = useText();
  const [token, setToken] = useState<string>();
  return (
    <Modal
      opened
      onClose={onClose}
      title={t.admin.newToken}
      closeButtonProps={{ 'aria-label': t.common.close }}
    >
      {token === undefined ? <Form onClose={onClose} onMade={setToken} /> : <Secret token={token} />}
    </Modal>
  );
}

function Form({ onClose, onMade }: { onClose(): void; onMade(token: string): void }) {
  const { t } = useText();
  const me = useMe();
  const queries = useQueryClient();
  const [wish, setWish] = useState({ name: '', days: '90', role: 'viewer' as Role, hosts: '' });
  const make = useMutation({
    mutationFn: () => {
      const { role, days } = wish;
      const [name, hosts] = [wish.name.trim(), wish.hosts.trim()];
      const limits = hosts === '' ? {} : { limits: { hosts } };
      return call('post /tokens', { body: { name, role, days: Number(days), ...limits } });
    },
    onSuccess: ({ token }) => {
      onMade(token);
      return queries.invalidateQueries({ queryKey: ['tokens'] });
    },
  });
  const field = (key: 'name' | 'days' | 'hosts', label: string, path: string) => (
    <TextInput
      label={label}
      value={wish[key]}
      onChange={(event) => setWish({ ...wish, [key]: event.currentTarget.value })}
      error={make.error instanceof ApiError ? make.error.at(path) : undefined}
    />
  );
  return (
    <div className="stack">
      {field('name', t.admin.tokenName, 'body.name')}
      <div className="fields">
        <NativeSelect
          label={t.admin.role}
          value={wish.role}
          onChange={(event) => setWish({ ...wish, role: event.currentTarget.value as Role })}
          data={ROLES.slice(0, ROLES.indexOf(me.role) + 1).map((value) => ({ value, label: t.roles[value] }))}
        />
        {field('days', t.admin.days, 'body.days')}
      </div>
      {field('hosts', t.admin.onlyHosts, 'body.limits.hosts')}
      <Problem error={make.error} />
      <div className="row" style={{ justifyContent: 'flex-end' }}>
        <Button variant="default" onClick={onClose}>
          {t.common.cancel}
        </Button>
        <Button loading={make.isPending} onClick={() => make.mutate()}>
          {t.admin.make}
        </Button>
      </div>
    </div>
  );
}

function Secret({ token }: { token: string }) {
  const { t } = useText();
  const [isCopied, setCopied] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(token);
    setCopied(true);
  };
  return (
    <div className="stack">
      <p>{t.admin.shownOnce}</p>
      <code className="log">{token}</code>
      <div>
        <Button onClick={() => void copy()}>{isCopied ? t.common.copied : t.common.copy}</Button>
      </div>
    </div>
  );
}
