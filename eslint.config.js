import tseslint from 'typescript-eslint';

/** Which rooms of src/ a room may import from. Everything may import errors.ts and clock.ts. */
const ROOMS = {
  events: [],
  kafka: ['events'],
  consumers: ['events', 'kafka'],
  hashes: ['events', 'kafka'],
  references: [],
  images: ['hashes'],
  cache: ['events', 'hashes'],
  model: ['images'],
  policies: ['events', 'model'],
  producers: ['events', 'kafka'],
  observability: ['events', 'kafka', 'consumers', 'cache'],
  reconcile: ['events', 'kafka', 'consumers'],
  'dead-letters': ['events', 'kafka', 'consumers', 'producers'],
};

/** Files that read without knowing any library: they import neither packages nor node: modules. */
const PURE = [
  'src/pipeline.ts',
  'src/inspection.ts',
  'src/policies/score.ts',
  'src/policies/similarity.ts',
  'src/policies/decide.ts',
  'src/consumers/offset-ledger.ts',
  'src/model/batcher.ts',
  'src/hashes/pdq.ts',
  'src/hashes/hash-index.ts',
  'src/tune/axes.ts',
  'src/tune/choose.ts',
  'src/tune/compare.ts',
  'src/tune/search.ts',
];

/** The one place each native or network library may be imported from. */
const OWNERS = {
  'onnxruntime-node': 'src/model/ort-session.ts',
  sharp: 'src/images/open-image.ts',
  ioredis: 'src/cache/redis-cache.ts',
  undici: 'src/references/http-fetcher.ts',
  'ipaddr.js': 'src/references/address-policy.ts',
  '@aws-sdk/client-s3': 'src/references/s3-fetcher.ts',
};

const roomRules = Object.entries(ROOMS).map(([room, allowed]) => {
  const closed = [...Object.keys(ROOMS), 'cli', 'demo', 'report', 'tune'].filter(
    (other) => other !== room && !allowed.includes(other),
  );
  return {
    files: [`src/${room}/**`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: `^\\.\\./(${closed.join('|')})/`,
              message: `The ${room} room may import from: ${allowed.join(', ') || 'no other room'}.`,
            },
            {
              regex:
                '^\\.\\./(app|pipeline|config|cli|inspection|inspector|inspect-image|journey|judgement)\\.ts$',
              message: 'Rooms do not know who puts them together.',
            },
            ...libraryPatterns((file) => file.startsWith(`src/${room}/`)),
          ],
        },
      ],
    },
  };
});

function libraryPatterns(isHome) {
  const kafka = isHome('src/kafka/client.ts')
    ? []
    : [{ regex: '^kafkajs', message: 'Only the kafka room imports a Kafka client.' }];
  const owned = Object.entries(OWNERS)
    .filter(([, owner]) => !isHome(owner))
    .map(([library, owner]) => ({
      regex: `^${library}$`,
      message: `Only ${owner} imports ${library}.`,
    }));
  return [...kafka, ...owned];
}

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'out/', 'bench/peers/', '**/*.generated.ts'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  ...tseslint.configs.strictTypeChecked.map((config) => ({ ...config, files: ['**/*.ts'] })),
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { project: './tsconfig.json' } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'max-lines': ['error', { max: 300 }],
      'no-console': 'error',
      eqeqeq: 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true } }],
    },
  },
  {
    files: [
      '{scripts,bench,browser-truth,chaos,evasion,fuzz,isolation,poison}/**',
      'src/cli/**',
      'test/**',
    ],
    rules: { 'no-console': 'off' },
  },
  ...roomRules,
  {
    files: PURE,
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^[^.]', message: 'This file imports no library.' }] },
      ],
    },
  },
);
