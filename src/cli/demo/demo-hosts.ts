/** The hosts of the demo: their names, facts and groups. */

/** What they are, how many, and in which group. */
const KINDS: readonly (readonly [prefix: string, count: number, group: string])[] = [
  ['web', 12, 'web'],
  ['db', 5, 'db'],
  ['cache', 3, 'cache'],
  ['build', 3, 'build'],
  ['dns', 2, 'infra'],
  ['mail', 1, 'infra'],
  ['lb', 1, 'infra'],
  ['backup', 1, 'infra'],
  ['monitor', 1, 'infra'],
  ['bastion', 1, 'infra'],
];

const DOMAIN = 'example.com';

/** One that takes two seconds to answer, and one that does not accept this controller. */
export const SLOW = `cache03.${DOMAIN}`;
export const REFUSING = `backup01.${DOMAIN}`;

const SYSTEMS = [
  { name: 'Debian', family: 'Debian', release: { major: '13' } },
  { name: 'Debian', family: 'Debian', release: { major: '12' } },
  { name: 'Rocky', family: 'RedHat', release: { major: '9' } },
] as const;

export interface DemoHost {
  name: string;
  group: string;
  facts: Readonly<Record<string, unknown>>;
}

export const DEMO_HOSTS: readonly DemoHost[] = KINDS.flatMap(([prefix, count, group], kind) =>
  Array.from({ length: count }, (_, index) => ({
    name: `${prefix}${String(index + 1).padStart(2, '0')}.${DOMAIN}`,
    group,
    facts: {
      os: SYSTEMS[(kind + (index % 4 === 3 ? 1 : 0)) % SYSTEMS.length],
      virtual: prefix === 'db' || prefix === 'backup' ? 'physical' : 'kvm',
      datacenter: index % 2 === 0 ? 'ber1' : 'fra2',
    },
  })),
);

/** inventory.yaml for hosts that listen at these addresses. JSON is YAML. */
export function inventoryOf(addressOf: (certname: string) => { host: string; port: number }): string {
  const targets = DEMO_HOSTS.map(({ name, facts }) => {
    const { host, port } = addressOf(name);
    return { name, uri: `${host}:${port}`, facts };
  });
  const groups = [...new Set(DEMO_HOSTS.map(({ group }) => group))].map((group) => ({
    name: group,
    targets: DEMO_HOSTS.filter((one) => one.group === group).map(({ name }) => name),
  }));
  return JSON.stringify({ targets, groups });
}
