import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { AppError } from '../../errors.ts';
import { commandFault, runCommand } from './command.ts';

export const KAFKA_VERSION = '4.4.0';

const POM = `<?xml version="1.0" encoding="UTF-8"?>
<project>
  <modelVersion>4.0.0</modelVersion>
  <groupId>moderato</groupId>
  <artifactId>local-kafka</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>${KAFKA_VERSION}</version>
    </dependency>
    <!-- The slf4j 1.7 binding, without which the broker logs nothing. -->
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>2.25.5</version>
    </dependency>
  </dependencies>
  <build>
    <plugins>
      <plugin>
        <groupId>org.apache.maven.plugins</groupId>
        <artifactId>maven-dependency-plugin</artifactId>
        <version>3.8.1</version>
      </plugin>
    </plugins>
  </build>
</project>
`;

/** Where the jars, the formatted storage and the class-data archives of this version are kept. */
export function kafkaCache(env: NodeJS.ProcessEnv = process.env): string {
  const base = env['XDG_CACHE_HOME'];
  return join(
    base !== undefined && base !== '' ? base : join(homedir(), '.cache'),
    'moderato',
    `kafka-${KAFKA_VERSION}`,
  );
}

/** The jars of a cache folder in a fixed order, which a class-data archive insists on; empty when not fetched. */
export async function jarsIn(cache: string): Promise<string[]> {
  const libs = join(cache, 'libs');
  const names = await readdir(libs).catch(() => []);
  return names
    .filter((name) => name.endsWith('.jar'))
    .sort()
    .map((name) => join(libs, name));
}

export interface JarOptions {
  cache: string;
  onProgress: (line: string) => void;
  env?: NodeJS.ProcessEnv;
}

/**
 * The class path of a Kafka broker, fetched with Maven the first time. The jars appear under their final name
 * only when complete, so that a fetch that was interrupted, or another process's, is never mistaken for them.
 * Throws AppError `kafka_unavailable`.
 */
export async function ensureJars({ cache, onProgress, env }: JarOptions): Promise<string> {
  const present = await jarsIn(cache);
  if (present.length > 0) return present.join(delimiter);
  onProgress(`fetching Apache Kafka ${KAFKA_VERSION} (43 MB) with Maven …`);
  const startedAt = performance.now();
  await mkdir(dirname(cache), { recursive: true });
  await mkdir(cache, { recursive: true });
  const temp = await mkdtemp(`${cache}.fetching-`);
  try {
    const pom = join(temp, 'pom.xml');
    await writeFile(pom, POM);
    const libs = join(temp, 'libs');
    await runCommand(
      'mvn',
      ['-B', '-q', '-f', pom, 'dependency:copy-dependencies', `-DoutputDirectory=${libs}`],
      env && { env },
    );
    // Fails when another process was first, whose jars are as good.
    await rename(libs, join(cache, 'libs')).catch(() => undefined);
  } catch (error) {
    throw new AppError(
      'kafka_unavailable',
      `fetching Apache Kafka ${KAFKA_VERSION} with Maven: ${commandFault(error)}`,
      { cause: error },
    );
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
  const jars = await jarsIn(cache);
  if (jars.length === 0) {
    throw new AppError(
      'kafka_unavailable',
      `fetching Apache Kafka: Maven left no jars in ${cache}`,
    );
  }
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  onProgress(`fetched Apache Kafka ${KAFKA_VERSION} in ${seconds} s`);
  return jars.join(delimiter);
}
