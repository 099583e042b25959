/** Kafka's rights: the resource that an authorisation error is about, and the command that grants the right. */

/** As `kafka-acls.sh --operation` names it. Read and Write include Describe. */
export type Operation =
  'Create' | 'Delete' | 'Describe' | 'DescribeConfigs' | 'IdempotentWrite' | 'Read' | 'Write';

/** What a request was about, as far as it is known. */
export interface KafkaResource {
  topic?: string | readonly string[] | undefined;
  group?: string | undefined;
  transactionalId?: string | undefined;
  /** As the broker's ACLs name the user: `User:alice`. */
  principal?: string | undefined;
  /** What was refused. @default Read for topics and groups, Write for transactional ids, IdempotentWrite for the cluster */
  operation?: Operation | undefined;
}

type Kind = 'cluster' | 'group' | 'topic' | 'transactionalId';

const KINDS: ReadonlyMap<string, Kind> = new Map([
  ['TOPIC_AUTHORIZATION_FAILED', 'topic'],
  ['GROUP_AUTHORIZATION_FAILED', 'group'],
  ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'transactionalId'],
  ['CLUSTER_AUTHORIZATION_FAILED', 'cluster'],
]);

const SPOKEN: Record<Kind, { noun: string; option: string; operation: Operation }> = {
  topic: { noun: 'topic', option: '--topic', operation: 'Read' },
  group: { noun: 'group', option: '--group', operation: 'Read' },
  transactionalId: {
    noun: 'transactional id',
    option: '--transactional-id',
    operation: 'Write',
  },
  cluster: { noun: 'the cluster', option: '--cluster', operation: 'IdempotentWrite' },
};

/** Names that differ in their last part only need one ACL for what they begin with. */
const PREFIXES = [
  /^moderato-(?:list|range)-/, // a random name follows
  /^moderato-(?!redrive-).*-(?=\d+$)/, // the number of an input partition follows
];

/** The kind of resource that an authorisation error of the protocol is about; undefined for any other error. */
export function refusedKind(type: unknown): Kind | undefined {
  return typeof type === 'string' ? KINDS.get(type) : undefined;
}

/** The principal that a broker derives from how a client authenticates; undefined for that of a certificate. */
export function principalOf(client: {
  username?: string | undefined;
  hasCertificate: boolean;
}): string | undefined {
  if (client.username !== undefined) return `User:${client.username}`;
  return client.hasCertificate ? undefined : 'User:ANONYMOUS';
}

/**
 * Who lacks which right to what, and the command that grants it:
 * `User:alice lacks Read on group moderato; grant it: kafka-acls.sh --add …`.
 */
export function grantFor(kind: Kind, resource: KafkaResource): string {
  const { noun, option, operation: usual } = SPOKEN[kind];
  const { principal = 'User:<this user>', operation = usual } = resource;
  const names = kind === 'cluster' ? [] : [resource[kind] ?? []].flat();
  if (kind !== 'cluster' && names.length === 0) {
    return `${principal} lacks ${operation} on a ${noun}: moderato check names each missing right and the command that grants it`;
  }
  const prefix = kind === 'topic' ? undefined : prefixOf(names[0] ?? '');
  const what =
    prefix === undefined
      ? [noun, names.join(', ')].join(' ').trim()
      : `${noun}s that begin with ${prefix}`;
  const command = [
    'kafka-acls.sh --add',
    `--allow-principal ${quoted(principal)}`,
    `--operation ${operation}`,
    ...(kind === 'cluster' ? [option] : []),
    ...(prefix === undefined ? names : [prefix]).map((name) => `${option} ${quoted(name)}`),
    ...(prefix === undefined ? [] : ['--resource-pattern-type prefixed']),
  ].join(' ');
  const note = operation === 'Describe' ? ' (which Read and Write include)' : '';
  return `${principal} lacks ${operation}${note} on ${what}; grant it: ${command}`;
}

function prefixOf(name: string): string | undefined {
  for (const pattern of PREFIXES) {
    const [prefix] = pattern.exec(name) ?? [];
    if (prefix !== undefined) return prefix;
  }
  return undefined;
}

/** As a POSIX shell takes it for one word. */
function quoted(word: string): string {
  return /^[\w.:@%+=,/-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
