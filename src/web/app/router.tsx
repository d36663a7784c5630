/** The addresses of the page. What is filtered and sorted by is in them, so that they can be sent to somebody. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from '@tanstack/react-router';
import { KickPage } from './kick/kick-page.tsx';
import { NotFound, RouteError } from './parts/states.tsx';
import { Shell } from './shell/shell.tsx';

type Given = Record<string, unknown>;

/** Only texts, and only those that are known: whatever else an address says is nothing to us. */
function texts<const Names extends string>(names: readonly Names[]) {
  return (given: Given): { [Name in Names]?: string } =>
    Object.fromEntries(
      names.flatMap((name) => {
        const value = given[name];
        return (typeof value === 'string' || typeof value === 'number') && value !== ''
          ? [[name, String(value)]]
          : [];
      }),
    ) as { [Name in Names]?: string };
}

const root = createRootRoute({ component: Shell, notFoundComponent: NotFound, errorComponent: RouteError });

const home = createRoute({
  getParentRoute: () => root,
  path: '/',
  beforeLoad: () => {
    throw redirect({ to: '/kick', replace: true });
  },
});
export const kickRoute = createRoute({
  getParentRoute: () => root,
  path: '/kick',
  validateSearch: texts(['hosts', 'all', 'from']),
  component: KickPage,
});
const jobs = createRoute({
  getParentRoute: () => root,
  path: '/jobs',
  validateSearch: texts(['by', 'outcome']),
  component: lazyRouteComponent(() => import('./jobs/jobs-page.tsx'), 'JobsPage'),
});
const job = createRoute({
  getParentRoute: () => root,
  path: '/jobs/$job',
  validateSearch: texts(['tab', 'outcome', 'name', 'sort', 'host']),
  component: lazyRouteComponent(() => import('./job/job-page.tsx'), 'JobPage'),
});
const compare = createRoute({
  getParentRoute: () => root,
  path: '/compare',
  validateSearch: texts(['a', 'b', 'show']),
  component: lazyRouteComponent(() => import('./jobs/compare-page.tsx'), 'ComparePage'),
});
const schedules = createRoute({
  getParentRoute: () => root,
  path: '/schedules',
  validateSearch: texts(['name', 'edit']),
  component: lazyRouteComponent(() => import('./schedules/schedules-page.tsx'), 'SchedulesPage'),
});
const fleet = createRoute({
  getParentRoute: () => root,
  path: '/fleet',
  validateSearch: texts(['tab', 'hosts', 'state', 'name', 'version']),
  component: lazyRouteComponent(() => import('./fleet/fleet-page.tsx'), 'FleetPage'),
});
const host = createRoute({
  getParentRoute: () => root,
  path: '/hosts/$certname',
  component: lazyRouteComponent(() => import('./host/host-page.tsx'), 'HostPage'),
});
const tokens = createRoute({
  getParentRoute: () => root,
  path: '/tokens',
  component: lazyRouteComponent(() => import('./admin/tokens-page.tsx'), 'TokensPage'),
});
const users = createRoute({
  getParentRoute: () => root,
  path: '/users',
  component: lazyRouteComponent(() => import('./admin/users-page.tsx'), 'UsersPage'),
});
const audit = createRoute({
  getParentRoute: () => root,
  path: '/audit',
  component: lazyRouteComponent(() => import('./admin/audit-page.tsx'), 'AuditPage'),
});
const api = createRoute({
  getParentRoute: () => root,
  path: '/api-docs',
  component: lazyRouteComponent(() => import('./admin/api-page.tsx'), 'ApiPage'),
});

const pages = [kickRoute, jobs, job, compare, schedules, fleet, host, tokens, users, audit, api] as const;
const tree = root.addChildren([home, ...pages]);

export const createAppRouter = () =>
  createRouter({ routeTree: tree, defaultPreload: 'intent', scrollRestoration: true });

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof createAppRouter>;
  }
}
