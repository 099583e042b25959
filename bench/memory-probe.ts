/** Loaded into the service before its own code: tells the bench of its memory. */
import process from 'node:process';

const EVERY_MS = 1_000;

setInterval(() => process.send?.(process.memoryUsage()), EVERY_MS).unref();
process.channel?.unref();
