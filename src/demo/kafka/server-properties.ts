const MiB = 1024 * 1024;

const PROTOCOLS = ['SSL', 'SASL_PLAINTEXT', 'SASL_SSL'] as const;

/** The listener's protocol, or that with a suffix where there are several of one protocol: `SSL_EXPIRED`. */
export type ListenerName = (typeof PROTOCOLS)[number] | `${(typeof PROTOCOLS)[number]}_${string}`;
export type Properties = Record<string, string | number | boolean>;

export interface NodeAddress {
  id: number;
  port: number;
  controllerPort: number;
  /** Further listeners and their ports. */
  listeners: Partial<Record<ListenerName, number>>;
}

/** Largest message that the local broker takes, in bytes. */
export const LOCAL_MAX_MESSAGE_BYTES = 16 * MiB;

/** What makes a small cluster quick to start, to elect and to rebalance; nothing here suits production. */
export function clusterProperties(nodes: number): Properties {
  const replicas = Math.min(nodes, 3);
  return {
    'auto.create.topics.enable': false, // a mistyped topic must fail
    'default.replication.factor': replicas,
    'min.insync.replicas': nodes >= 3 ? 2 : 1,
    'offsets.topic.num.partitions': 1,
    'offsets.topic.replication.factor': replicas,
    'transaction.state.log.num.partitions': 1,
    'transaction.state.log.replication.factor': replicas,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.num.partitions': 1,
    'share.coordinator.state.topic.replication.factor': replicas,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    'message.max.bytes': LOCAL_MAX_MESSAGE_BYTES,
    'replica.fetch.max.bytes': LOCAL_MAX_MESSAGE_BYTES,
    'log.cleaner.dedupe.buffer.size': 8 * MiB, // the default of 128 MiB would not fit the heap
    'num.network.threads': 2,
    'num.io.threads': 4,
    'broker.heartbeat.interval.ms': 500,
    'broker.session.timeout.ms': 3000, // how fast a killed broker loses its leaderships
    'controlled.shutdown.enable': nodes > 1,
  };
}

/** The text of server.properties for one combined broker and controller. */
export function serverProperties(options: {
  self: NodeAddress;
  nodes: readonly NodeAddress[];
  dataFolder: string;
  extra: Properties;
}): string {
  const { self, nodes } = options;
  const brokerListeners = [
    `PLAINTEXT://127.0.0.1:${self.port}`,
    ...Object.entries(self.listeners).map(([name, port]) => `${name}://127.0.0.1:${port}`),
  ];
  const properties: Properties = {
    'process.roles': 'broker,controller',
    'node.id': self.id,
    'controller.quorum.voters': nodes
      .map((node) => `${node.id}@127.0.0.1:${node.controllerPort}`)
      .join(','),
    listeners: [...brokerListeners, `CONTROLLER://127.0.0.1:${self.controllerPort}`].join(','),
    'advertised.listeners': brokerListeners.join(','),
    'listener.security.protocol.map': [
      'CONTROLLER:PLAINTEXT',
      'PLAINTEXT:PLAINTEXT',
      ...Object.keys(self.listeners).map((name) => `${name}:${protocolOf(name)}`),
    ].join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': options.dataFolder,
    ...clusterProperties(nodes.length),
    ...options.extra,
  };
  return (
    Object.entries(properties)
      .map(([name, value]) => `${name}=${String(value)}`)
      .join('\n') + '\n'
  );
}

function protocolOf(listener: string): string | undefined {
  return PROTOCOLS.find((protocol) => listener === protocol || listener.startsWith(`${protocol}_`));
}

export const LOG4J_CONFIGURATION = `Configuration:
  Appenders:
    Console: { name: out, PatternLayout: { pattern: "%d{HH:mm:ss.SSS} %p %c{1} %m%n" } }
  Loggers:
    Root: { level: WARN, AppenderRef: { ref: out } }
`;
