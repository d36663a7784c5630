/** The frame of every page: who is signed in, where to go. */
import { useQuery } from '@tanstack/react-query';
import { Link, Outlet } from '@tanstack/react-router';
import { createContext, useContext } from 'react';
import { type Me, meQuery } from '../api/queries.ts';
import { Problem } from '../parts/states.tsx';
import { SignIn } from '../sign-in/sign-in.tsx';
import { useText } from '../text/language.tsx';
import { AccountMenu } from './account-menu.tsx';
import { useOnline } from './online.ts';

const MeContext = createContext<Me | undefined>(undefined);

/** Who is signed in. */
export function useMe(): Me {
  const me = useContext(MeContext);
  if (me === undefined) throw new Error('nobody is signed in here');
  return me;
}

export const mayRun = ({ role }: Me): boolean => role !== 'viewer';

export function Shell() {
  const { data: me, error, refetch } = useQuery(meQuery);
  const { t } = useText();
  const isOnline = useOnline();
  if (me === null) return <SignIn />;
  if (me === undefined) {
    return error === null ? null : (
      <main className="page">
        <Problem error={error} retry={() => void refetch()} />
      </main>
    );
  }
  return (
    <MeContext value={me}>
      <div className="shell">
        <a className="skip" href="#content">
          {t.nav.skip}
        </a>
        <header className="top">
          <Link to="/kick" className="brand" aria-label="kick">
            <img src="/kick.svg" alt="" />
            <span>kick</span>
          </Link>
          <Navigation me={me} />
          <AccountMenu me={me} />
        </header>
        {!isOnline && (
          <div className="offline" role="status">
            {t.common.offline}
          </div>
        )}
        <main id="content" tabIndex={-1}>
          <Outlet />
        </main>
      </div>
    </MeContext>
  );
}

function Navigation({ me }: { me: Me }) {
  const { t } = useText();
  return (
    <nav className="nav" aria-label={t.nav.main}>
      <Link to="/kick">{t.nav.kick}</Link>
      <Link to="/jobs">{t.nav.jobs}</Link>
      <Link to="/fleet">{t.nav.fleet}</Link>
      <Link to="/schedules">{t.nav.schedules}</Link>
      {me.role === 'admin' && <Link to="/audit">{t.nav.audit}</Link>}
    </nav>
  );
}
