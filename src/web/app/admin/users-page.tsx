/** The local accounts. */
import { useQuery } from '@tanstack/react-query';
import { call } from '../api/client.ts';
import { Problem } from '../parts/states.tsx';
import { Time } from '../parts/time.tsx';
import { useText } from '../text/language.tsx';
import { limitWords } from './limits.ts';

export function UsersPage() {
  const { t } = useText();
  const { data, error } = useQuery({
    queryKey: ['users'],
    queryFn: ({ signal }) => call('get /users', {}, { signal }),
  });
  return (
    <div className="page">
      <div>
        <h1>{t.admin.users}</h1>
        <p className="dim">{t.admin.usersHint}</p>
      </div>
      <Problem error={error} />
      <section className="card scroll">
        <table className="simple">
          <thead>
            <tr>
              <th>{t.signIn.name}</th>
              <th>{t.admin.role}</th>
              <th>{t.admin.limits}</th>
              <th>{t.admin.created}</th>
            </tr>
          </thead>
          <tbody>
            {data?.users.map(({ name, role, limits, createdAt }) => (
              <tr key={name}>
                <td>{name}</td>
                <td>{t.roles[role]}</td>
                <td className="dim">{limitWords(limits, t)}</td>
                <td>
                  <Time at={createdAt} />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}
