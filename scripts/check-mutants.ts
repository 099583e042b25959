/**
 * `npm run mutants`: takes each safeguard of delivery, of fetching and of inspection out of a copy of the sources and
 * expects the unit tests to notice. A safeguard whose loss nobody notices is one that a later change may lose.
 */
import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Mutant {
  safeguard: string;
  file: string;
  from: string;
  to: string;
  tests: string[];
}

const MUTANTS: Mutant[] = [
  {
    safeguard: 'ledger: what is revoked is not committed any more',
    file: 'src/consumers/offset-ledger.ts',
    from: '    for (const partition of partitions) this.#end(partition);',
    to: '    void partitions;',
    tests: ['test/consumers'],
  },
  {
    safeguard: 'ledger: a new assignment forgets what was resolved in the old one',
    file: 'src/consumers/offset-ledger.ts',
    from: '    this.#end(partition);\n    this.#epochs += 1;\n    const tenure = new Tenure(this.#epochs);',
    to: '    this.#epochs += 1;\n    const tenure = this.#tenures.get(partition) ?? new Tenure(this.#epochs);',
    tests: ['test/consumers'],
  },
  {
    safeguard: "ledger: the answer to an old epoch's commit says nothing about the new one",
    file: 'src/consumers/offset-ledger.ts',
    from: 'if (tenure?.epoch === epoch) tenure.committed',
    to: 'if (tenure) tenure.committed',
    tests: ['test/consumers'],
  },
  {
    safeguard: 'ledger: only a contiguous prefix is committed',
    file: 'src/consumers/offset-ledger.ts',
    from: '      previous.after = after;',
    to: '      this.settled = after;',
    tests: ['test/consumers'],
  },
  {
    safeguard: 'hand-over: a fetch of an earlier epoch is dropped',
    file: 'src/consumers/hand-over.ts',
    from: '      ledger.epochOf(partition) === epoch &&\n',
    to: '',
    tests: ['test/consumers'],
  },
  {
    safeguard: 'membership: the former owner is fenced before anything is read',
    file: 'src/consumers/membership.ts',
    from: 'if (!fenced) await fence?.acquire(unaligned, others);',
    to: 'void others;',
    tests: ['test/consumers'],
  },
  {
    safeguard: 'membership: a rewound partition waits for a heartbeat',
    file: 'src/consumers/membership.ts',
    from: '    if (!this.#awaitsHeartbeat) return;',
    to: '    if (this.#generation === 0) return;',
    tests: ['test/consumers'],
  },
  {
    safeguard: 'membership: a generation that the group confirms goes on',
    file: 'src/consumers/membership.ts',
    from: '      this.#leaving = false;\n      this.#fetchersAtRest = false;\n    }\n    if (!this.#awaits',
    to: '    }\n    if (!this.#awaits',
    tests: ['test/consumers'],
  },
  {
    safeguard: 'commit loop: in transactions it commits nothing itself',
    file: 'src/consumers/commit-loop.ts',
    from: 'if (transactional) ledger.confirm(commits);\n    else await this.#send(commits);',
    to: 'void transactional;\n    await this.#send(commits);',
    tests: ['test/consumers'],
  },
  {
    safeguard: 'transactions: emissions of a partition wait for the oldest',
    file: 'src/producers/ordered-emissions.ts',
    from: 'if (messages === undefined || prefix.length >= MAX_REQUEST_MESSAGES) break;',
    to: 'if (messages === undefined) continue;\n      if (prefix.length >= MAX_REQUEST_MESSAGES) break;',
    tests: ['test/producers', 'test/exactly-once.test.ts'],
  },
  {
    safeguard: 'transactions: a failed one rewinds its partition',
    file: 'src/producers/transactional-verdict-sink.ts',
    from: '      last.rewind();',
    to: '',
    tests: ['test/exactly-once.test.ts'],
  },
  {
    safeguard: 'producer: only what an answer names counts as written',
    file: 'src/kafka/request.ts',
    from: 'return partition === undefined || !written.has(`${message.topic}/${partition}`);',
    to: 'return partition === undefined && written.size < 0;',
    tests: ['test/kafka'],
  },
  {
    safeguard: 'pipeline: an offset is resolved behind its acknowledged verdict',
    file: 'src/pipeline.ts',
    from: "      await journey.stage('emit', () => sink.emit(emission));",
    to: "      delivery.resolve();\n      await journey.stage('emit', () => sink.emit(emission));",
    tests: ['test/pipeline', 'test/crash-points.test.ts'],
  },
  {
    safeguard: 'references: every address of a name is judged',
    file: 'src/references/guarded-connector.ts',
    from: 'for (const { address } of [first, ...others]) {',
    to: 'for (const { address } of [first]) {',
    tests: ['test/references/ssrf.test.ts'],
  },
  {
    safeguard: 'references: what was judged is what is connected to',
    file: 'src/references/guarded-connector.ts',
    from: '    judged(hostname).then(',
    to: '    judged(hostname).then(() => resolve(hostname) as ReturnType<typeof judged>).then(',
    tests: ['test/references/ssrf.test.ts'],
  },
  {
    safeguard: 'references: an address that is connected to without a name is judged',
    file: 'src/references/guarded-connector.ts',
    from: 'isIP(target.hostname) === 0 ? null : addresses.forbids(target.hostname)',
    to: 'isIP(target.hostname) >= 0 ? null : addresses.forbids(target.hostname)',
    tests: ['test/references/guarded-connector.test.ts'],
  },
  {
    safeguard: 'references: a proxy is asked for no forbidden address',
    file: 'src/references/url-policy.ts',
    from: 'isIP(literal) === 0 ? null : addresses.forbids(literal)',
    to: 'isIP(literal) >= 0 ? null : addresses.forbids(literal)',
    tests: ['test/references/http-connections.test.ts'],
  },
  {
    safeguard: 'references: each redirect is judged',
    file: 'src/references/http-fetcher.ts',
    from: '      policy.check(target, url);\n',
    to: '',
    tests: ['test/references/ssrf.test.ts'],
  },
  {
    safeguard: 'references: only named hosts are asked',
    file: 'src/references/url-policy.ts',
    from: 'if (!isAllowed(url.hostname))',
    to: "if (!isAllowed(url.hostname) && url.hostname === '')",
    tests: ['test/references/ssrf.test.ts'],
  },
  {
    safeguard: 'references: no redirect leads from https to http',
    file: 'src/references/url-policy.ts',
    from: "from?.protocol === 'https:' && ",
    to: "from?.protocol === 'ftp:' && ",
    tests: ['test/references/http-connections.test.ts'],
  },
  {
    safeguard: 'references: no body is read beyond the limit',
    file: 'src/references/read-limited.ts',
    from: 'if (length > maxBytes) throw tooLarge(name, maxBytes);',
    to: '',
    tests: ['test/references'],
  },
  {
    safeguard: 'JPEG codec: colours of another profile than sRGB are converted natively',
    file: 'src/images/jpeg-header.ts',
    from: 'if (profiled || !whole) return null;',
    to: 'void whole;',
    tests: ['test/images/jpeg-codec'],
  },
  {
    safeguard: 'decoders: a process that takes too much memory is killed',
    file: 'src/images/job-limits.ts',
    from: 'if (bytes === null || bytes <= memoryBytes) return;',
    to: 'if (bytes !== null) return;',
    tests: ['test/images/decoder-pool-memory'],
  },
  {
    safeguard: 'decoders: no process can stop the service',
    file: 'src/images/decoder-reply.ts',
    from: 'code: z.enum(IMAGE_CODES),',
    to: 'code: z.any(),',
    tests: ['test/images/decoder-reply'],
  },
  {
    safeguard: 'decoders: a reply is about the image that was asked for',
    file: 'src/images/decoder-reply.ts',
    from: 'if (answer.job !== asked.job)',
    to: 'if (answer.job < asked.job)',
    tests: ['test/images/decoder-reply'],
  },
  {
    safeguard: 'inspection: who waited for one that failed looks for himself',
    file: 'src/cache/single-flight.ts',
    from: 'return followed ? followed.value : this.#lead(key, work);',
    to: 'return followed ? followed.value : flight;',
    tests: ['test/cache/single-flight', 'test/pipeline-repeated'],
  },
  {
    safeguard:
      'inspection: what was kept without a hash is looked at again where lists ask for one',
    file: 'src/inspection.ts',
    from: 'known.image.pdq !== null || !this.#wantsPdq()',
    to: 'known.image.pdq !== undefined',
    tests: ['test/pipeline-lists'],
  },
  {
    safeguard: 'lists: what is on one is not looked at',
    file: 'src/pipeline.ts',
    from: 'if (decisiveMatch(known)) {',
    to: 'if (known.length < 0) {',
    tests: ['test/pipeline-lists'],
  },
  {
    safeguard: 'policies: the strongest view decides',
    file: 'src/policies/score-views.ts',
    from: 'compareBands(b.band, a.band)',
    to: 'compareBands(a.band, b.band)',
    tests: ['test/policies/score-views'],
  },
  {
    safeguard: 'fetch: an LZ4 batch is measured before it is decompressed',
    file: 'src/kafka/fetch/expand.ts',
    from: '      if (lz4ExpandedSize(bytes, limit) > limit) throw new ExpandsTooFarError();\n',
    to: '      void lz4ExpandedSize;\n',
    tests: ['test/kafka/fetch'],
  },
  {
    safeguard: 'fetch: a response stops expanding when its budget is used up',
    file: 'src/kafka/fetch/record-set.ts',
    from: ' && budget.left <= 0) break;',
    to: ' && budget.left <= -Infinity) break;',
    tests: ['test/kafka/fetch'],
  },
  {
    safeguard: 'fetch: an offset outside its batch or out of order is damage',
    file: 'src/kafka/fetch/read-record.ts',
    from: 'offset <= previous || offset > batch.lastOffset',
    to: 'offset < 0',
    tests: ['test/kafka/fetch'],
  },
];

const COPIED = ['src', 'test', 'schemas', 'policies', 'models', 'samples', 'bin', 'bench'];
const FILES = ['package.json', 'jest.config.js', 'tsconfig.json', 'moderato.yaml'];

const folder = await mkdtemp(join(tmpdir(), 'moderato-mutants-'));
try {
  for (const name of [...COPIED, ...FILES]) await cp(name, join(folder, name), { recursive: true });
  await symlink(join(process.cwd(), 'node_modules'), join(folder, 'node_modules'));
  const tested = [...new Set(MUTANTS.flatMap(({ tests }) => tests))];
  if (!passes(tested)) throw new Error(`the tests fail without any mutant: ${tested.join(' ')}`);
  let survivors = 0;
  for (const mutant of MUTANTS) {
    const survives = await trial(mutant);
    if (survives) survivors += 1;
    console.log(`${survives ? 'SURVIVED' : 'noticed '} without "${mutant.safeguard}"`);
  }
  console.log(`${MUTANTS.length - survivors} of ${MUTANTS.length} mutants noticed`);
  process.exitCode = survivors === 0 ? 0 : 1;
} finally {
  await rm(folder, { recursive: true });
}

async function trial({ safeguard, file, from, to, tests }: Mutant): Promise<boolean> {
  const path = join(folder, file);
  const original = await readFile(path, 'utf8');
  if (original.split(from).length !== 2) {
    throw new Error(`${safeguard}: ${file} does not hold exactly once:\n${from}`);
  }
  await writeFile(
    path,
    original.replace(from, () => to),
  );
  const survives = passes(tests);
  await writeFile(path, original);
  return survives;
}

function passes(tests: readonly string[]): boolean {
  const flags = ['--experimental-vm-modules', '--no-warnings', 'node_modules/jest/bin/jest.js'];
  const args = [...flags, ...tests, '--selectProjects', 'unit', '--silent', '--bail'];
  const limits = { timeout: 120_000, killSignal: 'SIGKILL' } as const;
  return (
    spawnSync(process.execPath, args, { cwd: folder, stdio: 'ignore', ...limits }).status === 0
  );
}
