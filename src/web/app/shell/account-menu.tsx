/** Whose page it is, how it looks, in which language. */
import { Button, type MantineColorScheme, Menu, useMantineColorScheme } from '@mantine/core';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { call } from '../api/client.ts';
import { forgetSession, type Me } from '../api/queries.ts';
import { LANGUAGES, type Language, useText } from '../text/language.tsx';

export function AccountMenu({ me }: { me: Me }) {
  const { t } = useText();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const signOut = async () => {
    await call('delete /session', {});
    forgetSession(queries);
  };
  return (
    <Menu position="bottom-end" width={230} shadow="md">
      <Menu.Target>
        <Button variant="subtle" size="compact-sm" color="gray" c="var(--text)" title={t.nav.account}>
          {me.name}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t.roles[me.role]}</Menu.Label>
        <Menu.Item onClick={() => void navigate({ to: '/tokens' })}>{t.nav.tokens}</Menu.Item>
        {me.role === 'admin' && (
          <Menu.Item onClick={() => void navigate({ to: '/users' })}>{t.nav.users}</Menu.Item>
        )}
        <Menu.Item onClick={() => void navigate({ to: '/api-docs' })}>{t.nav.api}</Menu.Item>
        <Menu.Divider />
        <Looks />
        <Menu.Divider />
        <Menu.Label>{t.nav.keys}</Menu.Label>
        <Menu.Item onClick={() => void signOut()}>{t.nav.signOut}</Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function Looks() {
  const { t, language, setLanguage } = useText();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const schemes: [MantineColorScheme, string][] = [
    ['auto', t.nav.system],
    ['light', t.nav.light],
    ['dark', t.nav.dark],
  ];
  return (
    <>
      <Menu.Label>{t.nav.look}</Menu.Label>
      {schemes.map(([scheme, name]) => (
        <Menu.Item
          key={scheme}
          closeMenuOnClick={false}
          rightSection={colorScheme === scheme ? '✓' : undefined}
          onClick={() => setColorScheme(scheme)}
        >
          {name}
        </Menu.Item>
      ))}
      <Menu.Label>{t.nav.language}</Menu.Label>
      {(Object.keys(LANGUAGES) as Language[]).map((one) => (
        <Menu.Item
          key={one}
          lang={one}
          rightSection={language === one ? '✓' : undefined}
          onClick={() => setLanguage(one)}
        >
          {LANGUAGES[one]}
        </Menu.Item>
      ))}
    </>
  );
}
