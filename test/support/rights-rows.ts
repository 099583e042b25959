/** Users with and without each right that the service needs, and the command that `moderato check` has for each. */
import type { Config } from '../../src/config-schema.ts';
import type { Acl } from './acls.ts';

const READS: Acl = ['TOPIC', 'images', 'READ'];
const JOINS: Acl = ['GROUP', 'moderato', 'READ'];
const WRITES: Acl = ['TOPIC', 'verdicts', 'WRITE'];
const LETTERS: Acl = ['TOPIC', 'dead-letters', 'WRITE'];
const BLOCKS: Acl = ['TOPIC', 'blocked', 'WRITE'];
const LISTED: Acl = ['TOPIC', 'known', 'READ'];
const LISTING: Acl = ['GROUP', 'moderato-list-*', 'READ'];
const TRANSACTS: Acl = ['TRANSACTIONAL_ID', 'moderato-moderato-images-*', 'WRITE'];
const DESCRIBES: Acl[] = ['images', 'verdicts', 'dead-letters', 'blocked'].map((topic) => [
  'TOPIC',
  topic,
  'DESCRIBE_CONFIGS',
]);
const AT_LEAST_ONCE = [READS, JOINS, WRITES, LETTERS, BLOCKS, LISTED, LISTING, ...DESCRIBES];
const EXACTLY_ONCE = [...AT_LEAST_ONCE, TRANSACTS];

const without = (all: Acl[], ...left: Acl[]): Acl[] => all.filter((acl) => !left.includes(acl));

export interface RightsRow {
  user: string;
  acls: Acl[];
  delivery?: Config['delivery'];
  /** The commands of what is missing, in order; `!` before those that `run` can do without. */
  commands: string[];
}

export const RIGHTS_ROWS: readonly RightsRow[] = [
  { user: 'everything', acls: AT_LEAST_ONCE, commands: [] },
  { user: 'everything-once', acls: EXACTLY_ONCE, delivery: 'exactly-once', commands: [] },
  {
    user: 'no-input',
    acls: without(AT_LEAST_ONCE, READS),
    commands: ['Read --topic images'],
  },
  {
    user: 'describes-input',
    acls: [...without(AT_LEAST_ONCE, READS), ['TOPIC', 'images', 'DESCRIBE']],
    commands: ['Read --topic images'],
  },
  {
    user: 'no-group',
    acls: without(AT_LEAST_ONCE, JOINS),
    commands: ['Read --group moderato'],
  },
  {
    user: 'describes-group',
    acls: [...without(AT_LEAST_ONCE, JOINS), ['GROUP', 'moderato', 'DESCRIBE']],
    commands: ['Read --group moderato'],
  },
  {
    user: 'no-verdicts',
    acls: without(AT_LEAST_ONCE, WRITES),
    commands: ['Write --topic verdicts'],
  },
  {
    user: 'reads-outcomes',
    acls: [
      ...without(AT_LEAST_ONCE, WRITES, BLOCKS),
      ['TOPIC', 'verdicts', 'READ'],
      ['TOPIC', 'blocked', 'READ'],
    ],
    commands: ['Write --topic verdicts', 'Write --topic blocked'],
  },
  {
    user: 'no-letters',
    acls: without(AT_LEAST_ONCE, LETTERS),
    commands: ['Write --topic dead-letters'],
  },
  {
    user: 'no-route',
    acls: without(EXACTLY_ONCE, BLOCKS),
    delivery: 'exactly-once',
    commands: ['Write --topic blocked'],
  },
  {
    user: 'no-ids',
    acls: AT_LEAST_ONCE,
    delivery: 'exactly-once',
    commands: [
      'Write --transactional-id moderato-moderato-images- --resource-pattern-type prefixed',
    ],
  },
  {
    user: 'describes-ids',
    acls: [...AT_LEAST_ONCE, ['TRANSACTIONAL_ID', 'moderato-*', 'DESCRIBE']],
    delivery: 'exactly-once',
    commands: [
      'Write --transactional-id moderato-moderato-images- --resource-pattern-type prefixed',
    ],
  },
  {
    user: 'no-list',
    acls: without(AT_LEAST_ONCE, LISTED),
    commands: ['Read --topic known'],
  },
  {
    user: 'no-list-group',
    acls: without(AT_LEAST_ONCE, LISTING),
    commands: ['Read --group moderato-list- --resource-pattern-type prefixed'],
  },
  {
    user: 'writes-nothing',
    acls: without(AT_LEAST_ONCE, WRITES, LETTERS, BLOCKS),
    commands: [
      'Write --topic verdicts',
      'Write --topic blocked',
      'Write --topic dead-letters',
      'IdempotentWrite --cluster',
    ],
  },
  {
    user: 'describes-one',
    acls: without(AT_LEAST_ONCE, ...DESCRIBES.slice(1)),
    commands: [
      '!DescribeConfigs --topic verdicts',
      '!DescribeConfigs --topic blocked',
      '!DescribeConfigs --topic dead-letters',
    ],
  },
  {
    user: 'nothing',
    acls: [],
    delivery: 'exactly-once',
    commands: [
      'Read --topic images',
      'Read --group moderato',
      'Write --transactional-id moderato-moderato-images- --resource-pattern-type prefixed',
      'Write --topic verdicts',
      'Write --topic blocked',
      'Write --topic dead-letters',
      'Read --topic known',
      'Read --group moderato-list- --resource-pattern-type prefixed',
      '!DescribeConfigs --topic images',
      '!DescribeConfigs --topic verdicts',
      '!DescribeConfigs --topic blocked',
      '!DescribeConfigs --topic dead-letters',
    ],
  },
];
