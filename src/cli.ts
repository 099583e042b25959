import { Command } from 'commander';
import { checkCommand } from './cli/check.ts';
import { deadLettersCommand } from './cli/dead-letters.ts';
import { demoCommand } from './cli/demo.ts';
import { hashCommand } from './cli/hash.ts';
import { runMain } from './cli/main.ts';
import { modelsCommand } from './cli/models.ts';
import { publishCommand } from './cli/publish.ts';
import { recordCommand } from './cli/record.ts';
import { reconcileCommand } from './cli/reconcile.ts';
import { runCommand } from './cli/run.ts';
import { scanCommand } from './cli/scan.ts';
import { scoreCommand } from './cli/score.ts';
import { tailCommand } from './cli/tail.ts';
import { topicsCommand } from './cli/topics.ts';
import { tuneCommand } from './cli/tune.ts';
import { VERSION } from './version.ts';

const program = new Command('moderato')
  .description('Content moderation of image events on Kafka by zero-shot CLIP.')
  .version(VERSION)
  .addCommand(runCommand())
  .addCommand(demoCommand())
  .addCommand(checkCommand())
  .addCommand(scoreCommand())
  .addCommand(scanCommand())
  .addCommand(hashCommand())
  .addCommand(publishCommand())
  .addCommand(tailCommand())
  .addCommand(reconcileCommand())
  .addCommand(deadLettersCommand())
  .addCommand(recordCommand())
  .addCommand(topicsCommand())
  .addCommand(modelsCommand())
  .addCommand(tuneCommand());

await runMain(program, process.argv);
