import { Command, Option } from 'commander';

interface ShowOptions {
  config: string;
  value?: true;
  json?: true;
}

/** `moderato record …`: look at one record of any topic, and skip one that no restart gets past. */
export function recordCommand(): Command {
  return new Command('record')
    .description('show a record, or let the group skip one')
    .addCommand(showCommand())
    .addCommand(skipCommand());
}

function showCommand(): Command {
  return new Command('show')
    .description('key, headers, size and first bytes of one record')
    .argument('<position>', '<topic>/<partition>/<offset>, as logs and reports name it')
    .option('-c, --config <file>', 'the configuration', 'moderato.yaml')
    .addOption(new Option('--value', 'only the value, byte for byte').conflicts('json'))
    .option('--json', 'as one JSON object, with bytes in base64')
    .action(async (text: string, options: ShowOptions) => {
      const { connect } = await import('./connect.ts');
      const { untilSignal } = await import('./until-signal.ts');
      const { parseOrigin } = await import('../events/origin.ts');
      const { AppError } = await import('../errors.ts');
      const { readRecord } = await import('../kafka/read-record.ts');
      const { recordJson, renderRecord } = await import('./render-record.ts');
      const position = parseOrigin(text);
      if (!position) {
        throw new AppError(
          'usage',
          `${text} is no position of a record: expected <topic>/<partition>/<offset>, such as images/0/42`,
        );
      }
      const { kafka } = await connect(options.config);
      const record = await readRecord(kafka, position, untilSignal().signal);
      if (options.value) process.stdout.write(record.value ?? '');
      else console.log(options.json ? recordJson(record) : renderRecord(record));
    });
}

function skipCommand(): Command {
  return new Command('skip')
    .description(
      'let the stopped group go on behind one record of an input topic, the next that it would read; no verdict is published for it',
    )
    .argument(
      '<position>',
      '<topic>/<partition>/<offset>, as logs and reports name it; <partition>/<offset> where there is one lane',
    )
    .option('-c, --config <file>', 'the configuration', 'moderato.yaml')
    .action(async (text: string, options: { config: string }) => {
      const { connect } = await import('./connect.ts');
      const { untilSignal } = await import('./until-signal.ts');
      const { originText } = await import('../events/origin.ts');
      const { skipRecord } = await import('../kafka/read-record.ts');
      const { positionInLanes } = await import('./lanes-asked-about.ts');
      const { loaded, kafka } = await connect(options.config);
      const { groupId, startFrom } = loaded.config.kafka;
      const position = positionInLanes(text, loaded.config.topics);
      const signal = untilSignal().signal;
      const { offset } = await skipRecord(kafka, position, { groupId, startFrom, signal });
      console.log(
        `skipped ${originText(position)}: group ${groupId} goes on at ${position.partition}/${offset}. The record has no verdict; moderato reconcile reports it as missing.`,
      );
    });
}
